"""Whether the page takes its modules as the few files that `make setup` bundles, or one by one.

A bundle counts only where it was made of exactly the modules that are there now, so that an edited file is on the page
at once, without a build.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from dashboard.ui.static import ASSETS, Files

#: Beside the bundle: what it was made of, its files with their hashes, and those that the first page takes.
STAMP = ASSETS / "vendor" / "modules" / "stamp.json"
#: The bundle of `main.mjs`.
ENTRY = "page.mjs"
_log = logging.getLogger(__name__)


class Bundle:
    """The bundle beside `files`, judged anew when a file of either has changed."""

    def __init__(self, files: Files, stamp: Path = STAMP) -> None:
        self._files, self._stamp = files, stamp
        self._judged: object = None
        self._first: list[str] = []

    def first(self) -> list[str]:
        """The files that the first page takes, `ENTRY` first; none where the plain modules are to be taken."""
        text = self._stamp.read_bytes() if self._stamp.is_file() else b""
        judged = (text, self._files.version("assets"), self._files.version("modules"))
        if judged != self._judged:
            first, fault = self._judge(text)
            self._judged, self._first = judged, first
            if fault:
                _log.info("The page takes its modules one by one: %s; `make setup` bundles them.", fault)
        return self._first

    def _judge(self, text: bytes) -> tuple[list[str], str]:
        """The first page's files and, where there are none, why."""
        if not text:
            return [], "there is no bundle"
        try:
            kept: dict[str, Any] = json.loads(text)
            made_of, first, hashes = str(kept["made_of"]), list(kept["first"]), dict(kept["files"])
        except (ValueError, KeyError, TypeError):
            return [], "the bundle's stamp can't be read"
        if made_of != self._made_of():
            return [], "modules have changed since they were bundled"
        served = self._files.folder("modules")
        if not first or first[0] != ENTRY or not set(first) <= set(hashes):
            return [], "the bundle's stamp can't be read"
        if any(name not in served or served[name].digest != known for name, known in hashes.items()):
            return [], "the bundle is not whole"
        return first, ""

    def _made_of(self) -> str:
        """A hash of every module's name and content, as `infra/vendor.py` makes it."""
        files = sorted(self._files.folder("assets").items())
        lines = (f"{name} {file.digest}\n" for name, file in files if name.endswith(".mjs"))
        return hashlib.sha256("".join(lines).encode()).hexdigest()
