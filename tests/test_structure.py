"""What holds the project together: format, lint, types, the floors of the design, and papers that tell the truth."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.config import Settings

ROOT = Path(__file__).parents[1]
CHECKS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
    "floors": ["lint-imports"],
}
TOP_LEVEL = {
    "app.py",
    "pyproject.toml",
    "dashboard",
    "assets",
    "tests",
    "infra",
    "requirements",
    "docs",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
}


def tracked() -> list[str]:
    """Every file of the project, by git where there is a repository."""
    found = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        return [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if ".venv" not in path.parts]
    return found.stdout.split()


@pytest.mark.parametrize("check", CHECKS)
def test_the_check_passes(check: str) -> None:
    tool, *rest = CHECKS[check]
    command = [str(Path(sys.executable).with_name(tool)), *rest]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_top_level_is_the_designs() -> None:
    assert {path.split("/")[0] for path in tracked() if not path.startswith(".")} <= TOP_LEVEL


def test_no_file_of_code_is_longer_than_one_idea() -> None:
    long = [
        path
        for path in tracked()
        if re.search(r"\.(py|m?js|css)$", path) and len((ROOT / path).read_text("utf-8").splitlines()) > 500
    ]
    assert long == []


def test_the_readme_names_every_setting_and_no_other() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    told = set(re.findall(r"DASHBOARD_([A-Z_]+[A-Z])", text))
    table = {
        name for line in text.splitlines() if line.startswith("| `") for name in re.findall(r"`([A-Z][A-Z_]+)`", line)
    }
    known = {name.upper() for name in Settings.model_fields}
    assert known <= table, known - table
    assert told <= known, told - known


def test_the_readmes_files_are_there() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    named = re.findall(r"\]\((?!https?:|#)([^)#]+)", text) + re.findall(
        r"`((?:dashboard|assets|infra|tests)/[\w./-]+)`", text
    )
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_no_module_starts_a_thread_when_it_is_imported() -> None:
    script = "import threading, dashboard.web, dashboard.serve, dashboard.ui; print(threading.active_count())"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]


def test_nothing_on_the_page_comes_from_elsewhere() -> None:
    for path in tracked():
        if path.startswith(("assets/", "dashboard/")) and path.endswith(
            (".py", ".js", ".mjs", ".css", ".html", ".svg")
        ):
            text = (ROOT / path).read_text("utf-8")
            found = re.findall(r"(?:src|href|url|import)\s*[=(]?\s*[\"'(]https?://", text)
            assert found == [], path
