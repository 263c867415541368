"""The set-up without a network: it says what it waits for, gives up in time, and does not wait again at each start."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
#: An npm that notes how it was called and finds no registry.
NPM = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
echo "npm error code ENOTFOUND" >&2
echo "npm error A complete log of this run can be found in: x.log" >&2
exit 1
"""


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`infra/vendor.py` with a folder of its own and that npm."""
    spec = importlib.util.spec_from_file_location("vendor", ROOT / "infra" / "vendor.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(NPM)
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(module, "TARGET", tmp_path / "vendor")
    return module


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "bin" / "calls").read_text().splitlines()


def test_what_could_not_be_fetched_is_said_once_a_day_and_tried_again_when_asked(
    vendor: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vendor.bundle_plotly()
    waits, says = capsys.readouterr().out.splitlines()
    assert waits == "Fetching plotly.js from the npm registry, for a page that starts sooner; 60 s at most."
    assert "could not be made (npm error code ENOTFOUND)" in says
    assert "--fetch-retries=0" in calls(tmp_path)[0]
    vendor.bundle_plotly()
    assert capsys.readouterr().out == ""
    assert len(calls(tmp_path)) == 1
    vendor.bundle_plotly(again=True)
    assert len(calls(tmp_path)) == 2
    yesterday = time.time() - vendor.KEPT_S - 1
    os.utime(tmp_path / "vendor" / "failed", (yesterday, yesterday))
    vendor.bundle_plotly()
    assert len(calls(tmp_path)) == 3
    (tmp_path / "vendor" / "failed").write_text("of another lock")
    vendor.bundle_plotly()
    assert len(calls(tmp_path)) == 4


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (subprocess.TimeoutExpired(["npm", "ci"], 60), "not done in 60 s"),
        (
            subprocess.CalledProcessError(1, "x", stderr=b"WARNING: retry\nERROR: No match\nERROR: more"),
            "ERROR: No match",
        ),
        (subprocess.CalledProcessError(1, "x", stderr=b"first\nlast\n"), "first"),
        (OSError("esbuild has no binary for this machine"), "esbuild has no binary for this machine"),
    ],
)
def test_the_reason_is_the_first_line_that_is_one(vendor: ModuleType, error: Exception, says: str) -> None:
    assert vendor.short(error) == says
