"""Every knob, its default and its check. The one place that reads the environment.

`load_settings()` gives the frozen `Settings` of this process or raises `ConfigurationError` with one message of at
most five lines that names each setting at fault and what it accepts.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv.parser import parse_stream
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from dashboard.errors import ConfigurationError

PREFIX = "DASHBOARD_"
ROLES = ("feed", "web", "alerts", "recorder")
DEFAULT_SYMBOLS = "AAPL MSFT GOOGL AMZN META TSLA NVDA NFLX JPM V BTC-USD ETH-USD XRP-USD GOLD OIL"
FEEDS = "simulator, replay:FILE, coinbase, kraken, binance or bus"
#: Names that Kubernetes puts into a container for a Service called "dashboard".
_KUBERNETES = re.compile(r"^DASHBOARD_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$")
_KUBERNETES_VALUE = re.compile(r"^(tcp|udp|sctp)://", re.IGNORECASE)
_HOST_NAME = re.compile(
    r"^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$"
)
_BUSES = ("redis", "rediss", "nats", "kafka")

Names = Annotated[tuple[str, ...], NoDecode]


def _meant(
    description: str, default: Any = ..., *, ge: float | None = None, le: float | None = None, accepts: str = ""
) -> Any:
    """A field whose description stands in the README and whose `accepts` stands in the error message."""
    if not accepts and ge is not None:
        accepts = f"a number from {ge:.12g} to {le:.12g}" if le is not None else f"a number from {ge:.12g} on"
    return Field(default, ge=ge, le=le, description=description, json_schema_extra={"accepts": accepts})


class Settings(BaseSettings):
    """The settings of one process; attribute `tick_ms` is the variable `DASHBOARD_TICK_MS`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=None, extra="forbid", frozen=True, env_ignore_empty=False, hide_input_in_errors=True
    )

    host: str = _meant("Address to listen on", "127.0.0.1", accepts="a host name or an IP address")
    port: int = _meant("Port to listen on", 8050, ge=1, le=65535)
    feed: str = _meant("Where ticks come from", "simulator", accepts=FEEDS)
    symbols: str = _meant(
        "Instruments: a comma list, a catalogue file, or catalogue:N",
        DEFAULT_SYMBOLS,
        accepts="a comma list of symbols, the path of a catalogue file, or catalogue:N",
    )
    tick_ms: int = _meant("Mean time between two steps of the simulated market, ms", 1000, ge=10, le=60_000)
    seed: int | None = _meant(
        "Seed of the simulated market; random and logged when not set",
        None,
        ge=0,
        le=2**63 - 1,
        accepts="a whole number from 0 to 9223372036854775807",
    )
    replay_symbol: str | None = _meant(
        "Symbol of a replay whose file does not say", None, accepts="1 to 24 of A-Z 0-9 . - _ ^ ="
    )
    replay_speed: float | Literal["max"] = _meant(
        "Speed of a replay", 1.0, accepts="a number over 0 and up to 1000000, or max"
    )
    replay_loop: bool = _meant("Start a replay again at its end", False, accepts="true or false")
    replay_times: Literal["shifted", "original"] = _meant(
        "Move a replay's times to now", "shifted", accepts="shifted or original"
    )
    replay_columns: str | None = _meant(
        "Names of a replay's columns", None, accepts="pairs such as price=last,size=qty,time=stamp"
    )
    opening_hours: bool = _meant("Simulated instruments tick only in their session", False, accepts="true or false")
    stale_after_s: float | None = _meant(
        "Silence of the whole feed that fails readiness, s; by default the larger of 10 and three steps",
        None,
        ge=1,
        le=86_400,
    )
    bar_grace_ms: int = _meant("How long after its end a bar without a next tick is closed, ms", 500, ge=0, le=60_000)
    late_ms: int = _meant("How late a tick may be to correct its bars, ms", 60_000, ge=0, le=86_400_000)
    ahead_ms: int = _meant("How far ahead of the market's clock a tick may be, ms", 5000, ge=0, le=86_400_000)
    store_mb: int = _meant("Memory for ticks and bars, MB", 512, ge=16, le=1_048_576)
    stream_frame_ms: int = _meant("At most one frame a channel and connection in this time, ms", 20, ge=1, le=10_000)
    stream_connections: int = _meant("Connections a process holds", 5000, ge=1, le=1_000_000)
    stream_connections_per_user: int = _meant("Connections of one user", 20, ge=1, le=1_000_000)
    stream_symbols: int = _meant("Symbols that one subscription may name", 1000, ge=1, le=100_000)
    stream_messages_per_s: float = _meant(
        "Messages a second from one connection, bursts of five times that", 20, ge=0.1, le=100_000
    )
    stream_buffer_kb: int = _meant("Bytes that may wait for one connection, KB", 256, ge=16, le=65_536)
    bus: str = _meant("How processes share ticks", "memory", accepts="memory, redis://…, nats://… or kafka://…")
    database_url: str = _meant(
        "Where users, sessions and alerts are kept",
        "sqlite:///var/dashboard.db",
        accepts="a database URL such as sqlite:///var/dashboard.db or postgresql://user@host/name",
    )
    secret_key: str | None = _meant(
        "Signs the session cookie; kept in var/ on loopback when not set", None, accepts="at least 16 characters"
    )
    admin_password_file: str | None = _meant(
        "File with the password of the first administrator, admin", None, accepts="the path of a readable file"
    )
    trusted_proxies: int = _meant("Proxies in front whose X-Forwarded-* headers count", 0, ge=0, le=16)
    allowed_hosts: Names | None = _meant(
        "Accepted Host names, by default those of loopback",
        None,
        accepts="a comma list of host names, each with or without a port",
    )
    metrics_token: str | None = _meant("Bearer token that may read /metrics", None, accepts="at least 16 characters")
    roles: Names = _meant("What this process does", ROLES, accepts="a comma list of " + ", ".join(ROLES))
    log_format: Literal["console", "json"] = _meant("How log lines look", "console", accepts="console or json")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the parameters are pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` hands over counts: it has read the environment and `.env` itself."""
        return (init_settings,)

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        bare = value.strip().removeprefix("[").removesuffix("]")
        if _address(bare) is None and (not _HOST_NAME.match(bare) or ":" in bare):
            raise ValueError("no host")
        return bare

    @field_validator("feed")
    @classmethod
    def _feed(cls, value: str) -> str:
        if value in ("simulator", "coinbase", "kraken", "binance", "bus") or (
            value.startswith("replay:") and value[7:].strip()
        ):
            return value
        raise ValueError("no feed")

    @field_validator("symbols", "database_url")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("empty")
        return value.strip()

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str) -> str:
        try:
            make_url(value).get_dialect()
        except (ArgumentError, ImportError, ValueError) as error:
            raise ValueError("no database URL") from error
        return value

    @field_validator("replay_symbol")
    @classmethod
    def _replay_symbol(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Z0-9.\-_^=]{1,24}", value):
            raise ValueError("no symbol")
        return value

    @field_validator("replay_speed")
    @classmethod
    def _replay_speed(cls, value: float | str) -> float | str:
        if value != "max" and not 0 < float(value) <= 1_000_000:
            raise ValueError("no speed")
        return value

    @field_validator("bus")
    @classmethod
    def _bus(cls, value: str) -> str:
        if value != "memory" and value.partition("://")[0] not in _BUSES:
            raise ValueError("no bus")
        return value

    @field_validator("secret_key", "metrics_token")
    @classmethod
    def _secret(cls, value: str | None) -> str | None:
        if value is not None and len(value.strip()) < 16:
            raise ValueError("too short")
        return value

    @field_validator("admin_password_file")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None and not os.access(value, os.R_OK):
            raise ValueError("not readable")
        return value

    @field_validator("allowed_hosts", "roles", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part for part in re.split(r"[\s,]+", value) if part)
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and (not value or not all(_HOST_NAME.match(host) for host in value)):
            raise ValueError("no hosts")
        return None if value is None else tuple(host.lower() for host in value)

    @field_validator("roles")
    @classmethod
    def _roles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) != len(value) or not set(value) <= set(ROLES):
            raise ValueError("no roles")
        return value

    @model_validator(mode="after")
    def _together(self) -> Settings:
        if self.bus == "memory" and set(self.roles) != set(ROLES):
            raise ValueError(
                "ROLES splits the product over processes, which needs a BUS to share ticks: "
                f"without one ROLES must be {','.join(ROLES)}"
            )
        if self.bus != "memory":
            raise ValueError(f"BUS={_masked(self.bus)} is not in this version yet; it accepts memory")
        if self.feed in ("coinbase", "kraken", "binance", "bus"):
            raise ValueError(f"FEED={self.feed} is not in this version yet; it accepts simulator or replay:FILE")
        return self

    @property
    def on_loopback(self) -> bool:
        """Whether `HOST` can be reached from this machine only."""
        address = _address(self.host)
        return self.host.lower() == "localhost" if address is None else address.is_loopback

    @property
    def silence_fails_after_s(self) -> float:
        """Seconds without any report after which readiness fails."""
        return self.stale_after_s if self.stale_after_s is not None else max(10.0, 3 * self.tick_ms / 1000)

    @classmethod
    def accepts(cls, name: str) -> str:
        """What the setting `name` (an attribute's name) accepts, for an error message."""
        extra = cls.model_fields[name].json_schema_extra
        assert isinstance(extra, dict)
        return str(extra["accepts"])


def load_settings(environ: Mapping[str, str] | None = None, env_file: str | Path | None = ".env") -> Settings:
    """Read and check the settings; the environment wins over the file.

    Raises ConfigurationError for an unknown `DASHBOARD_*` name, a bad value or an unusable combination.
    """
    environ = os.environ if environ is None else environ
    given: dict[str, str] = {}
    if env_file is not None and Path(env_file).is_file():
        given |= _from_file(Path(env_file))
    given |= {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    values = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in given.items()
        if not _KUBERNETES.match(name) and not (name == "DASHBOARD_PORT" and _KUBERNETES_VALUE.match(value))
    }
    unknown = [name for name in given if name.removeprefix(PREFIX).lower() in values and not _known(name)]
    if unknown:
        raise ConfigurationError(_lines(f"{_cut(name)} is not a setting; {_near(name)}" for name in sorted(unknown)))
    # No file, host or database has one in its name; the system's calls raise over it instead of refusing.
    if nul := [name for name, value in values.items() if "\0" in value]:
        raise ConfigurationError(_lines(_sentence(name, values) for name in nul))
    try:
        return Settings(**values)  # type: ignore[arg-type]  # pydantic parses the texts
    except ValidationError as error:
        raise ConfigurationError(_lines(_sentences(error, values))) from None


def _from_file(path: Path) -> dict[str, str]:
    """The settings in a `.env` file, as they stand there: a `$` in a secret is a `$`."""
    given: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for binding in parse_stream(stream):
                ours = binding.key is not None and binding.key.startswith(PREFIX)
                if binding.error or (ours and binding.value is None):
                    # Not the line itself: it may be a secret.
                    raise ConfigurationError(f"line {binding.original.line} of {path} is no NAME=value")
                if binding.key is not None and ours:
                    given[binding.key] = binding.value or ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the settings file {path} can't be read: {error}") from error
    return given


def _known(name: str) -> bool:
    bare = name.removeprefix(PREFIX)
    return bare == bare.upper() and bare.lower() in Settings.model_fields


def _near(name: str) -> str:
    from difflib import get_close_matches

    # Without the beginning that all share, or any two would be alike.
    names = [field.upper() for field in Settings.model_fields]
    close = get_close_matches(name.upper().removeprefix(PREFIX), names, 1, 0.6)
    return f"did you mean {PREFIX}{close[0]}?" if close else "the README lists them all"


def _sentences(error: ValidationError, values: Mapping[str, str]) -> Iterable[str]:
    for fault in error.errors():
        if not fault["loc"]:
            yield PREFIX + str(fault["ctx"]["error"]).replace(" BUS ", " DASHBOARD_BUS ").replace(
                " ROLES ", " DASHBOARD_ROLES "
            )
            continue
        yield _sentence(str(fault["loc"][0]), values)


def _sentence(name: str, values: Mapping[str, str]) -> str:
    """What a setting accepts, and what came where that is no secret."""
    secret = name in ("secret_key", "metrics_token", "database_url")
    received = "" if secret else f", got {_cut(values.get(name, '')) or 'nothing'}"
    return f"{PREFIX}{name.upper()} must be {Settings.accepts(name)}{received}"


def _lines(sentences: Iterable[str]) -> str:
    every = list(dict.fromkeys(sentences))
    return "\n".join(every[:4] + ([f"and {len(every) - 4} more"] if len(every) > 4 else []))


def _cut(text: str) -> str:
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= 60 else text[:59] + "…"


def _masked(url: str) -> str:
    return re.sub(r"//[^@/]*@", "//…@", url)[:60]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
