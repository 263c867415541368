"""A product behind a real socket whose ticks a test gives, and files that were exported from it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from dashboard.verify import Product, Verdict, verify
from tests.house import PASSWORD, House, open_house


@dataclass
class Desk:
    """Somebody who exports into a folder and verifies what is there."""

    house: House
    url: str
    folder: Path

    def export(self, name: str, **query: Any) -> Path:
        """Save an export, its receipt beside it, under its own name."""
        return self.save(f"/api/v1/export/{name}", query)

    def compare(self, form: str, **query: Any) -> Path:
        """The same of AAPL beside others."""
        return self.save(f"/api/v1/tickers/AAPL/comparison.{form}", query)

    def save(self, path: str, query: dict[str, Any]) -> Path:
        """Save what is at an address."""
        client = self.house.enter("ada")
        given = {key: str(value) for key, value in query.items()}
        answer = client.get(path, query_string=given, buffered=True)
        assert answer.status_code == 200, answer.text
        file = self.folder / answer.headers["Content-Disposition"].partition('"')[2].rstrip('"')
        file.write_bytes(answer.data)
        if "Link" in answer.headers:
            receipt = client.get(answer.headers["Link"].partition(">")[0][1:])
            assert receipt.status_code == 200
            file.with_name(f"{file.name}.receipt.json").write_bytes(receipt.data)
        return file

    def verify(self, file: Path, **options: Any) -> Verdict:
        return verify(file, Product(self.url, "ada", PASSWORD), **options)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """AAPL with quotes, MSFT with trades only, BTC-USD with awkward numbers; a store that keeps few ticks."""
    with open_house(tmp_path, {"ada": "analyst", "root2": "administrator"}, STORE_MB="16") as house:
        awkward = (0.1 + 0.2, 1 / 3, 1e-7, 123456789.12345679, 5e-324, 1e22, 100.0)
        for turn in range(40):
            house.clock.advance(7_000)
            house.tick(
                ("AAPL", 200.0 + turn / 8, 100.0, 0.0, 199.9, 200.1),
                ("BTC-USD", awkward[turn % len(awkward)], awkward[turn // 2 % 4]),
                ("MSFT", 400.5 + turn),
            )
        server = make_server("127.0.0.1", 0, house.server, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        exports = tmp_path / "exports"
        exports.mkdir()
        yield Desk(house, f"http://127.0.0.1:{server.server_port}", exports)
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture
def damage() -> Callable[[Path, bytes, bytes], None]:
    """Change the one place in a file where some bytes are."""

    def change(file: Path, old: bytes, new: bytes) -> None:
        body = file.read_bytes()
        assert body.count(old) == 1
        file.write_bytes(body.replace(old, new))

    return change
