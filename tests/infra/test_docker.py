"""The Dockerfile: hadolint finds nothing, and every file that it copies is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "infra" / "docker" / "Dockerfile"


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([hadolint, str(DOCKERFILE)], capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_what_it_copies_is_there_and_let_through_by_its_ignore_file() -> None:
    allowed = {
        line[1:].strip()
        for line in DOCKERFILE.with_name("Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    assert copied
    for source in " ".join(copied).split():
        path = source.rstrip("/")
        assert (ROOT / path).exists(), path
        assert any(path == one or path.startswith(f"{one}/") for one in allowed), f"{path} is ignored"


def test_it_runs_as_nobody_in_particular_and_listens_for_others() -> None:
    text = DOCKERFILE.read_text()
    final = text[text.rindex("FROM ") :]
    assert re.search(r"^USER (?!0|root)\S+$", final, re.MULTILINE)
    assert "DASHBOARD_HOST=0.0.0.0" in final
    assert "HEALTHCHECK" in final
    assert "pip install" not in final
