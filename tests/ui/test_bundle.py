"""The bundle of the page's modules: taken only where it was made of exactly those that are there now."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard.ui import static
from dashboard.ui.bundle import Bundle
from infra import vendor

#: An esbuild that writes an entry, a chunk that it imports and one for another page, and notes that it was called.
ESBUILD = """#!/bin/sh
echo call >> "$(dirname "$0")/calls"
for one in "$@"; do case "$one" in --outdir=*) out="${one#*=}";; esac; done
[ -e "$(dirname "$0")/broken" ] && { echo "error: Unexpected token" >&2; exit 1; }
echo 'import "./chunk-A.mjs"; import("./later-B.mjs");' > "$out/page.mjs"
cat "$1" > "$out/chunk-A.mjs"
echo '2;' > "$out/later-B.mjs"
cat > "$out/meta.json" <<'END'
{"outputs": {
  "x/page.mjs": {"imports": [{"path": "x/chunk-A.mjs", "kind": "import-statement"},
                             {"path": "x/later-B.mjs", "kind": "dynamic-import"}]},
  "x/chunk-A.mjs": {"imports": []},
  "x/later-B.mjs": {"imports": [{"path": "x/chunk-A.mjs", "kind": "import-statement"}]}}}
END
"""
FIRST = ["page.mjs", "chunk-A.mjs"]


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two modules, with that esbuild beside them."""
    (tmp_path / "page").mkdir()
    (tmp_path / "vendor").mkdir()
    (tmp_path / "main.mjs").write_text('import "./page/a.mjs";')
    (tmp_path / "page" / "a.mjs").write_text("1;")
    (tmp_path / "early.js").write_text("0;")
    (tmp_path / "vendor" / "esbuild").write_text(ESBUILD)
    (tmp_path / "vendor" / "esbuild").chmod(0o755)
    monkeypatch.setattr(vendor, "ASSETS", tmp_path)
    monkeypatch.setattr(vendor, "TARGET", tmp_path / "vendor")
    monkeypatch.setattr(static, "LOOK_S", 0)
    return tmp_path


def made(assets: Path) -> Bundle:
    return Bundle(static.Files(assets), assets / "vendor" / "modules" / "stamp.json")


def calls(assets: Path) -> int:
    return len((assets / "vendor" / "calls").read_text().splitlines())


def test_set_up_bundles_once_and_again_when_a_module_has_changed(assets: Path) -> None:
    vendor.bundle_modules()
    vendor.bundle_modules()
    assert calls(assets) == 1
    assert made(assets).first() == FIRST
    (assets / "early.js").write_text("no module")
    vendor.bundle_modules()
    assert calls(assets) == 1
    (assets / "page" / "b.mjs").write_text("3;")
    vendor.bundle_modules()
    assert calls(assets) == 2
    assert made(assets).first() == FIRST


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda assets: (assets / "page" / "a.mjs").write_text("11;"), "modules have changed"),
        (lambda assets: (assets / "page" / "b.mjs").write_text("1;"), "modules have changed"),
        (lambda assets: (assets / "page" / "a.mjs").unlink(), "modules have changed"),
        (lambda assets: (assets / "page" / "a.mjs").rename(assets / "page" / "c.mjs"), "modules have changed"),
        (lambda assets: (assets / "vendor" / "modules" / "later-B.mjs").unlink(), "not whole"),
        (lambda assets: (assets / "vendor" / "modules" / "chunk-A.mjs").write_text("half"), "not whole"),
        (lambda assets: (assets / "vendor" / "modules" / "stamp.json").unlink(), "there is no bundle"),
        (lambda assets: (assets / "vendor" / "modules" / "stamp.json").write_text("{"), "can't be read"),
        (lambda assets: (assets / "vendor" / "modules" / "stamp.json").write_text("[]"), "can't be read"),
    ],
)
def test_anything_else_than_what_was_bundled_means_plain_modules_and_is_said_once(
    assets: Path, caplog: pytest.LogCaptureFixture, change: Callable[[Path], object], says: str
) -> None:
    caplog.set_level(logging.INFO)
    vendor.bundle_modules()
    bundle = made(assets)
    assert bundle.first() == FIRST
    assert caplog.messages == []
    change(assets)
    assert bundle.first() == []
    assert bundle.first() == []
    assert len(caplog.messages) == 1
    assert says in caplog.messages[0]
    vendor.bundle_modules()
    assert bundle.first() == FIRST


def test_a_style_or_a_classic_script_may_change(assets: Path) -> None:
    vendor.bundle_modules()
    bundle = made(assets)
    (assets / "early.js").write_text("7;")
    assert bundle.first() == FIRST


def test_what_esbuild_refuses_is_one_sentence_and_leaves_the_plain_modules(
    assets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vendor.bundle_modules()
    (assets / "page" / "a.mjs").write_text("(;")
    (assets / "vendor" / "broken").touch()
    vendor.bundle_modules()
    assert "could not be bundled (error: Unexpected token)" in capsys.readouterr().out
    assert made(assets).first() == []


def test_without_esbuild_nothing_is_made(assets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (assets / "vendor" / "esbuild").unlink()
    vendor.bundle_modules()
    assert not (assets / "vendor" / "modules").exists()
    assert capsys.readouterr().out == ""


def test_chunks_of_an_earlier_bundle_stay_for_pages_that_are_open_and_go_after_a_week(assets: Path) -> None:
    folder = assets / "vendor" / "modules"
    vendor.bundle_modules()
    for name, age in (("market-recent.mjs", 60.0), ("market-old.mjs", vendor.CHUNKS_S + 60.0)):
        (folder / name).write_text("1;")
        os.utime(folder / name, (time.time() - age,) * 2)
    (assets / "page" / "a.mjs").write_text("5;")
    vendor.bundle_modules()
    assert sorted(path.name for path in folder.glob("market-*")) == ["market-recent.mjs"]
    assert made(assets).first() == FIRST
    # However long ago it was made, the week counts from when something else took its place.
    chunk = folder / "chunk-A.mjs"
    os.utime(chunk, (time.time() - 2 * vendor.CHUNKS_S,) * 2)
    esbuild = assets / "vendor" / "esbuild"
    esbuild.write_text(ESBUILD.replace("chunk-A", "chunk-C"))
    (assets / "page" / "a.mjs").write_text("6;")
    vendor.bundle_modules()
    assert made(assets).first() == ["page.mjs", "chunk-C.mjs"]
    assert chunk.is_file()
    assert "market-recent.mjs" not in json.loads((folder / "stamp.json").read_text())["files"]
