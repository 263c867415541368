"""Scripts and styles: an address by content, compressed, kept for ever, and nothing of it for strangers."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
from flask.testing import FlaskClient

from dashboard.ui import static
from dashboard.ui.bundle import Bundle
from tests.house import House, open_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("static"), {"ada": "analyst"}) as made:
        yield made


@pytest.fixture(scope="module")
def analyst(house: House) -> FlaskClient:
    return house.enter("ada")


def addresses(html: str) -> list[str]:
    """What a page names of this site."""
    return re.findall(r'(?:src|href)="(/[^"]+)"', html)


@pytest.mark.parametrize("bundled", [True, False])
def test_every_script_style_and_module_of_the_page_is_at_an_address_by_content(
    analyst: FlaskClient, monkeypatch: pytest.MonkeyPatch, bundled: bool
) -> None:
    if not bundled:
        monkeypatch.setattr(Bundle, "first", lambda self: [])
    named = [path for path in addresses(analyst.get("/").text) if not path.startswith("/_dash-")]
    assert len(named) > (12 if bundled else 80)
    assert [path for path in named if not re.match(r"/static/[0-9a-f]{16}/", path)] == []
    for path in named:
        answer = analyst.get(path, headers={"Accept-Encoding": "gzip, br"})
        assert answer.status_code == 200, path
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Encoding"] == "br"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert brotli.decompress(answer.data)


def test_a_browser_gets_what_it_accepts(analyst: FlaskClient) -> None:
    path = next(path for path in addresses(analyst.get("/").text) if path.endswith("/page.css"))
    plain = analyst.get(path)
    assert "Content-Encoding" not in plain.headers
    packed = analyst.get(path, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == plain.data
    refused = analyst.get(path, headers={"Accept-Encoding": "br;q=0, gzip;q=0"})
    assert refused.data == plain.data


def test_a_page_of_another_version_gets_what_there_is_and_does_not_keep_it(analyst: FlaskClient) -> None:
    answer = analyst.get("/static/0123456789abcdef/assets/main.mjs")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["assets/none.mjs", "assets/../app.py", "assets/%2e%2e/app.py", "dash/dash.py", "os/x.js", "assets/"]
)
def test_nothing_else_is_served(analyst: FlaskClient, path: str) -> None:
    assert analyst.get(f"/static/0123456789abcdef/{path}").status_code == 404


def test_a_stranger_gets_the_login_pages_files_and_no_others(house: House) -> None:
    stranger = house.stranger()
    named = addresses(stranger.get("/login").text)
    assert {path.rpartition("/")[2] for path in named} == {"favicon.svg", "early.js", "00-tokens.css", "login.css"}
    for path in named:
        assert "immutable" in stranger.get(path).headers["Cache-Control"]
    for path in (
        "assets/main.mjs",
        "assets/x/login.css",
        "modules/page.mjs",
        "vendor/login.css",
        "dash/deps/react@18.3.1.min.js",
    ):
        assert stranger.get(f"/static/0123456789abcdef/{path}").status_code == 401


def test_a_changed_file_gets_another_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static, "LOOK_S", 0)
    (tmp_path / "page").mkdir()
    (tmp_path / "main.mjs").write_text('import "./page/a.mjs";')
    (tmp_path / "page" / "a.mjs").write_text("1;")
    files = static.Files(tmp_path)
    before = files.address("assets", "main.mjs")
    assert files.address("assets", "main.mjs") == before
    (tmp_path / "page" / "a.mjs").write_text("22;")
    # The module that imports it moves too: it names it by a relative path.
    assert files.address("assets", "main.mjs") != before
    served = files.get("assets", "page/a.mjs")
    assert served is not None and served[1].plain == b"22;"


def test_compressed_in_advance_is_what_compressed_at_once_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static, "PREPARED", tmp_path)
    monkeypatch.setattr(static, "QUALITY", 4)
    monkeypatch.setattr(static, "SUITES", {"dash": ("deps/react@18*.min.js",), "plotly": ()})
    (tmp_path / "old.br").write_text("of no use any more")
    made = static.prepare()
    assert made > 50
    assert static.prepare() == 0
    assert not (tmp_path / "old.br").exists()
    for file in static.Files().every():
        assert brotli.decompress(file.body("br")) == file.plain
        assert gzip.decompress(file.body("gzip")) == file.plain
