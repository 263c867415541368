"""Instruments and catalogues of them: the known ones, generated ones beyond, and what a user names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import overload
from zoneinfo import ZoneInfo

from dashboard.errors import ConfigurationError, UnknownSymbol

ASSET_CLASSES = ("stock", "crypto", "currency", "commodity", "index")
#: How volatile a class is in a year, in how many decimals it is quoted, and how much of it is traded in a day.
_TYPICAL = {
    "stock": (0.32, 2, 2.0e7),
    "crypto": (0.65, 2, 3.0e4),
    "currency": (0.09, 5, 5.0e8),
    "commodity": (0.28, 2, 4.0e5),
    "index": (0.17, 2, 2.0e6),
}
_SYMBOL = re.compile(r"[A-Z0-9.\-_^=]{1,24}")
SYMBOL_RULE = "1 to 24 of A-Z 0-9 . - _ ^ ="
_SETTING = "DASHBOARD_SYMBOLS"
LARGEST = 100_000


@dataclass(frozen=True, slots=True)
class Session:
    """When an instrument trades: local hours of `zone` on `weekdays` (0 Monday); `opens` == `closes` is all day."""

    zone: str
    opens: time
    closes: time
    weekdays: frozenset[int]

    def is_open(self, at_ms: float) -> bool:
        """Whether the session is open at `at_ms` (UTC ms). Holidays are not known."""
        local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(self.zone))
        if local.weekday() not in self.weekdays:
            return False
        return self.opens == self.closes or self.opens <= local.time() < self.closes


_WORKDAYS = frozenset(range(5))
SESSIONS = {
    "stock": Session("America/New_York", time(9, 30), time(16, 0), _WORKDAYS),
    "index": Session("America/New_York", time(9, 30), time(16, 0), _WORKDAYS),
    "commodity": Session("America/New_York", time(3, 0), time(17, 0), _WORKDAYS),
    "currency": Session("UTC", time(0), time(0), _WORKDAYS),
    "crypto": Session("UTC", time(0), time(0), frozenset(range(7))),
}


@dataclass(frozen=True, slots=True)
class Instrument:
    """One thing that is traded.

    `asset_class` is one of ASSET_CLASSES; `decimals` formats its prices everywhere; `volatility` is annual (0.3 is
    30 %), `price` and `volume` (a day's) are where the simulator begins.
    """

    symbol: str
    name: str
    asset_class: str
    sector: str
    currency: str
    decimals: int
    volatility: float
    session: Session
    price: float
    volume: float


class Catalogue(Sequence[Instrument]):
    """The instruments of a product, each with its index; symbols are unique."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._instruments = tuple(instruments)
        self.symbols: tuple[str, ...] = tuple(instrument.symbol for instrument in self._instruments)
        self._index = {symbol: at for at, symbol in enumerate(self.symbols)}
        assert len(self._index) == len(self.symbols), "a symbol twice"

    @overload
    def __getitem__(self, at: int) -> Instrument: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Instrument, ...]: ...
    def __getitem__(self, at: int | slice) -> Instrument | tuple[Instrument, ...]:
        return self._instruments[at]

    def __len__(self) -> int:
        return len(self._instruments)

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._instruments)

    def index(self, symbol: str, start: int = 0, stop: int | None = None) -> int | None:  # type: ignore[override]
        """The index of `symbol`, None where there is no such instrument."""
        return self._index.get(symbol)

    def require(self, symbol: str) -> int:
        """The index of `symbol`. Raises UnknownSymbol with near matches."""
        found = self._index.get(symbol)
        if found is None:
            raise UnknownSymbol(symbol, self.near(symbol))
        return found

    def near(self, symbol: str) -> tuple[str, ...]:
        """Up to three symbols that look like `symbol`, best first."""
        wanted = symbol[:24].upper()
        begins = [known for known in self.symbols if wanted and known.startswith(wanted)][:3]
        close = get_close_matches(wanted, self.symbols, 3, 0.5)
        return tuple(dict.fromkeys([*begins, *close]))[:3]


def is_symbol(text: str) -> bool:
    """Whether `text` may name an instrument."""
    return _SYMBOL.fullmatch(text) is not None


def check_symbol(text: str) -> str:
    """`text` if it is a symbol. Raises ValueError otherwise."""
    if not is_symbol(text):
        raise ValueError(f"a symbol is {SYMBOL_RULE}, got {text[:40]!r}")
    return text


def instrument(
    symbol: str,
    name: str,
    asset_class: str,
    sector: str,
    price: float,
    *,
    currency: str = "USD",
    decimals: int | None = None,
    volatility: float | None = None,
) -> Instrument:
    """An instrument with what is typical of its class where nothing is said."""
    typical_volatility, typical_decimals, turnover = _TYPICAL[asset_class]
    volume = turnover if asset_class != "crypto" else 2e9 / price
    return Instrument(
        symbol,
        name,
        asset_class,
        sector,
        currency,
        typical_decimals if decimals is None else decimals,
        typical_volatility if volatility is None else volatility,
        SESSIONS[asset_class],
        price,
        volume,
    )


def unlisted(symbol: str) -> Instrument:
    """An instrument that nobody has described: a replay's own, or a name that a user made up."""
    price = round(20 * 1.0009 ** (sum(ord(char) * (at + 7) for at, char in enumerate(symbol)) % 4000), 2)
    return instrument(symbol, symbol, "stock", "Unlisted", price)


def generated(count: int, taken: Iterable[str]) -> Iterator[Instrument]:
    """`count` invented instruments, always the same for a number, none with a symbol that is `taken`."""
    used, made, number = set(taken), 0, 0
    classes = ("stock", "stock", "stock", "stock", "crypto", "stock", "currency", "commodity", "stock", "index")
    sectors = ("Technology", "Health", "Finance", "Energy", "Industry", "Consumer", "Utilities", "Materials")
    while made < count:
        rest, symbol = number, ""
        for _ in range(4):
            symbol = chr(65 + rest % 26) + symbol
            rest //= 26
        # A step that shares no factor with 26**4 visits every combination before one comes again.
        number = (number + 7919) % 26**4
        if symbol in used:
            continue
        used.add(symbol)
        kind = classes[made % len(classes)]
        price = round(5.0 * 1.37 ** (made * 7 % 19), 2) if kind != "currency" else round(0.5 + made * 13 % 97 / 60, 5)
        made += 1
        yield instrument(symbol, f"{symbol.title()} {made}", kind, sectors[made % len(sectors)], price)


def known() -> Catalogue:
    """The real instruments this product knows, the contract's fifteen first; their prices are only near the truth."""
    return Catalogue(_KNOWN)


def catalogue(spec: str) -> Catalogue:
    """The catalogue that the setting SYMBOLS describes: a list, a file, or `catalogue:N`.

    Raises ConfigurationError with one sentence.
    """
    spec = spec.strip()
    if spec.startswith("catalogue:"):
        return _numbered(spec.removeprefix("catalogue:"))
    if "/" in spec or "\\" in spec or Path(spec).suffix.lower() in (".csv", ".txt"):
        return _from_file(Path(spec))
    names = [name for name in re.split(r"[\s,]+", spec) if name]
    return _described(names, _SETTING)


def _numbered(text: str) -> Catalogue:
    if not re.fullmatch(r"\d{1,6}", text) or not 1 <= int(text) <= LARGEST:
        raise ConfigurationError(f"{_SETTING} catalogue:N takes a number from 1 to {LARGEST}, got {text[:40]!r}")
    wanted = int(text)
    first = _KNOWN[:wanted]
    return Catalogue([*first, *generated(wanted - len(first), (each.symbol for each in _KNOWN))])


def _described(names: Sequence[str], source: str) -> Catalogue:
    if not names:
        raise ConfigurationError(f"{source} names no instrument; it takes a list such as AAPL,MSFT")
    known_ones = {each.symbol: each for each in _KNOWN}
    found: dict[str, Instrument] = {}
    for name in names:
        try:
            symbol = check_symbol(name)
        except ValueError as error:
            raise ConfigurationError(f"{source}: {error}") from None
        if symbol in found:
            raise ConfigurationError(f"{source} names {symbol} twice")
        found[symbol] = known_ones.get(symbol) or unlisted(symbol)
    return Catalogue(found.values())


def _from_file(path: Path) -> Catalogue:
    """Symbols one a line (`#` begins a comment), or a CSV whose header has `symbol` and any of the fields' names."""
    try:
        lines = [line.split("#")[0].strip() for line in path.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigurationError(f"{_SETTING}: the catalogue file {path} can't be read: {reason}") from None
    lines = [line for line in lines if line]
    try:
        header = [name.strip().lower() for name in next(csv.reader(lines[:1], skipinitialspace=True), [])]
        if "symbol" not in header:
            return _described(lines, f"{_SETTING} ({path.name})")
        rows = list(csv.DictReader(lines[1:], header, skipinitialspace=True))
    except csv.Error as error:
        raise ConfigurationError(f"{_SETTING}: the catalogue file {path} can't be read: {error}") from None
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise ConfigurationError(f"{_SETTING} ({path.name}) has two columns {twice[0][:40]!r}")
    plain = _described([(row["symbol"] or "").strip() for row in rows], f"{_SETTING} ({path.name})")
    return Catalogue(_with(each, row, path) for each, row in zip(plain, rows, strict=True))


def _with(each: Instrument, row: dict[str, str | None], path: Path) -> Instrument:
    given = {name: (value or "").strip() for name, value in row.items() if name and (value or "").strip()}
    kind = given.get("class", each.asset_class)
    try:
        if kind not in ASSET_CLASSES:
            raise ValueError(f"class is one of {', '.join(ASSET_CLASSES)}, got {kind[:20]!r}")
        if kind != each.asset_class:
            each = replace(instrument(each.symbol, each.name, kind, each.sector, each.price), currency=each.currency)
        each = replace(
            each,
            name=given.get("name", each.name)[:80],
            sector=given.get("sector", each.sector)[:40],
            currency=given.get("currency", each.currency)[:10],
            decimals=int(given.get("decimals", each.decimals)),
            price=float(given.get("price", each.price)),
            volatility=float(given.get("volatility", each.volatility)),
        )
        if not (0 <= each.decimals <= 12 and 0 < each.price < 1e12 and 0 < each.volatility < 20):
            raise ValueError("decimals are 0 to 12, price and volatility positive")
    except ValueError as error:
        raise ConfigurationError(f"{_SETTING} ({path.name}), {each.symbol}: {error}") from None
    return each


def _stocks(sector: str, *rows: tuple[str, str, float]) -> list[Instrument]:
    return [instrument(symbol, name, "stock", sector, price) for symbol, name, price in rows]


_KNOWN: tuple[Instrument, ...] = (
    instrument("AAPL", "Apple", "stock", "Technology", 191.2, volatility=0.27),
    instrument("MSFT", "Microsoft", "stock", "Technology", 415.5, volatility=0.25),
    instrument("GOOGL", "Alphabet", "stock", "Communication", 168.9, volatility=0.29),
    instrument("AMZN", "Amazon", "stock", "Consumer", 184.7, volatility=0.31),
    instrument("META", "Meta Platforms", "stock", "Communication", 503.2, volatility=0.36),
    instrument("TSLA", "Tesla", "stock", "Consumer", 178.1, volatility=0.55),
    instrument("NVDA", "NVIDIA", "stock", "Technology", 1135.6, volatility=0.5),
    instrument("NFLX", "Netflix", "stock", "Communication", 641.6, volatility=0.37),
    instrument("JPM", "JPMorgan Chase", "stock", "Finance", 198.4, volatility=0.23),
    instrument("V", "Visa", "stock", "Finance", 275.1, volatility=0.2),
    instrument("BTC-USD", "Bitcoin / US dollar", "crypto", "Currency", 67_455.2, decimals=1, volatility=0.55),
    instrument("ETH-USD", "Ether / US dollar", "crypto", "Platform", 3521.44, volatility=0.65),
    instrument("XRP-USD", "XRP / US dollar", "crypto", "Payment", 0.5312, decimals=4, volatility=0.75),
    instrument("GOLD", "Gold, troy ounce", "commodity", "Metal", 2331.9, decimals=1, volatility=0.15),
    instrument("OIL", "Crude oil WTI, barrel", "commodity", "Energy", 78.42, volatility=0.35),
    *_stocks(
        "Technology",
        ("ORCL", "Oracle", 125.3),
        ("CRM", "Salesforce", 272.4),
        ("ADBE", "Adobe", 478.2),
        ("AMD", "Advanced Micro Devices", 164.9),
        ("INTC", "Intel", 31.2),
        ("AVGO", "Broadcom", 1402.7),
        ("CSCO", "Cisco Systems", 46.8),
        ("IBM", "IBM", 169.5),
        ("QCOM", "Qualcomm", 205.6),
    ),
    *_stocks(
        "Finance",
        ("BAC", "Bank of America", 39.1),
        ("WFC", "Wells Fargo", 59.7),
        ("GS", "Goldman Sachs", 456.8),
        ("MS", "Morgan Stanley", 99.2),
        ("MA", "Mastercard", 449.3),
        ("BRK.B", "Berkshire Hathaway B", 409.6),
    ),
    *_stocks(
        "Health",
        ("JNJ", "Johnson & Johnson", 147.9),
        ("UNH", "UnitedHealth", 497.1),
        ("PFE", "Pfizer", 28.5),
        ("LLY", "Eli Lilly", 812.3),
        ("MRK", "Merck", 128.8),
    ),
    *_stocks(
        "Consumer",
        ("WMT", "Walmart", 65.7),
        ("KO", "Coca-Cola", 62.4),
        ("PEP", "PepsiCo", 171.6),
        ("MCD", "McDonald's", 257.9),
        ("NKE", "Nike", 94.3),
        ("DIS", "Walt Disney", 102.1),
        ("HD", "Home Depot", 331.5),
        ("COST", "Costco", 811.4),
    ),
    *_stocks(
        "Industry",
        ("BA", "Boeing", 178.6),
        ("CAT", "Caterpillar", 338.2),
        ("GE", "GE Aerospace", 161.3),
        ("XOM", "Exxon Mobil", 114.7),
        ("CVX", "Chevron", 157.2),
    ),
    instrument("SOL-USD", "Solana / US dollar", "crypto", "Platform", 166.3, volatility=0.85),
    instrument("ADA-USD", "Cardano / US dollar", "crypto", "Platform", 0.4571, decimals=4, volatility=0.8),
    instrument("DOGE-USD", "Dogecoin / US dollar", "crypto", "Currency", 0.1602, decimals=5, volatility=0.95),
    instrument("LTC-USD", "Litecoin / US dollar", "crypto", "Currency", 83.9, volatility=0.7),
    instrument("LINK-USD", "Chainlink / US dollar", "crypto", "Data", 17.2, decimals=3, volatility=0.8),
    instrument("DOT-USD", "Polkadot / US dollar", "crypto", "Platform", 7.14, decimals=3, volatility=0.8),
    instrument("EUR-USD", "Euro / US dollar", "currency", "Major", 1.0851),
    instrument("GBP-USD", "Pound sterling / US dollar", "currency", "Major", 1.2712),
    instrument("USD-JPY", "US dollar / Japanese yen", "currency", "Major", 156.92, currency="JPY", decimals=3),
    instrument("USD-CHF", "US dollar / Swiss franc", "currency", "Major", 0.9142, currency="CHF"),
    instrument("AUD-USD", "Australian dollar / US dollar", "currency", "Major", 0.6631),
    instrument("USD-CAD", "US dollar / Canadian dollar", "currency", "Major", 1.3672, currency="CAD"),
    instrument("EUR-GBP", "Euro / Pound sterling", "currency", "Cross", 0.8536, currency="GBP"),
    instrument("EUR-JPY", "Euro / Japanese yen", "currency", "Cross", 170.27, currency="JPY", decimals=3),
    instrument("SILVER", "Silver, troy ounce", "commodity", "Metal", 30.42, decimals=3),
    instrument("COPPER", "Copper, pound", "commodity", "Metal", 4.71, decimals=4),
    instrument("PLATINUM", "Platinum, troy ounce", "commodity", "Metal", 1041.5, decimals=1),
    instrument("BRENT", "Crude oil Brent, barrel", "commodity", "Energy", 82.15, volatility=0.34),
    instrument("NATGAS", "Natural gas, MMBtu", "commodity", "Energy", 2.587, decimals=3, volatility=0.6),
    instrument("WHEAT", "Wheat, bushel", "commodity", "Agriculture", 6.784, decimals=3),
    instrument("CORN", "Corn, bushel", "commodity", "Agriculture", 4.462, decimals=3),
    instrument("COFFEE", "Coffee, pound", "commodity", "Agriculture", 2.243, decimals=3),
    instrument("^GSPC", "S&P 500", "index", "United States", 5277.5),
    instrument("^NDX", "Nasdaq 100", "index", "United States", 18_536.7),
    instrument("^DJI", "Dow Jones Industrial", "index", "United States", 38_686.3),
    instrument("^RUT", "Russell 2000", "index", "United States", 2070.1, volatility=0.22),
    instrument("^GDAXI", "DAX", "index", "Germany", 18_497.9, currency="EUR"),
    instrument("^FTSE", "FTSE 100", "index", "United Kingdom", 8275.4, currency="GBP"),
    instrument("^N225", "Nikkei 225", "index", "Japan", 38_487.9, currency="JPY"),
    instrument("^STOXX50E", "Euro Stoxx 50", "index", "Euro area", 4983.7, currency="EUR"),
)
