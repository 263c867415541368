"""How scripts and styles reach the browser: under an address that holds a hash of their content, compressed in advance.

`/static/<version>/<folder>/<path>` is kept by browsers for ever. A version is that of a whole folder, because its files
name each other by relative paths: modules import modules, AG Grid and Dash's components load their parts. `make setup`
compresses them (`prepare`); what it has not, is compressed at the first request, a little larger.
Dynamic answers (layout, callbacks, JSON) are compressed as they come by flask-compress; exports stream as they are.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import brotli
from dash.fingerprint import check_fingerprint
from flask import Flask, Response, abort, request
from flask_compress import Compress

#: Where the page's files are.
ASSETS = Path(__file__).parents[2] / "assets"
#: Brotli's quality in advance (11 takes twice as long for 1.5 %) and at a first request (0.1 s for plotly.js).
QUALITY, QUALITY_AT_ONCE = 10, 5
#: Where `prepare` puts compressed bodies, named by the hash of what is in them.
PREPARED = ASSETS / "vendor" / "compressed"
#: Whether a file has changed on the disk is looked up so often: a page has fifty of them.
LOOK_S = 1.0
#: What the page loads of the packages that bring scripts; anything else stays at Dash's own address.
SUITES = {
    "dash": (
        "deps/*@*.min.js",
        "dash-renderer/build/dash_renderer.min.js",
        "dcc/*.js",
        "html/dash_html_components.min.js",
        "dash_table/bundle.js",
    ),
    "dash_ag_grid": ("dash_ag_grid.min.js", "async-community.js"),
    "plotly": ("package_data/plotly.min.js",),
}
#: The styles of the page in one file: eight requests less.
STYLES = "page.css"
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
FOR_EVER = "public, max-age=31536000, immutable"
_DYNAMIC = ["text/html", "application/json", "application/problem+json", "text/plain"]
#: Dash's own address of a file: an asset, or a file of a package.
_DASHS = re.compile(r'(?<=")/(?:assets/(?P<asset>[^"?]+)|_dash-component-suites/(?P<suite>\w+)/(?P<path>[^"?]+))[^"]*')


@dataclass
class File:
    """One file: its bytes as they are and compressed, each made once."""

    plain: bytes
    mimetype: str
    bodies: dict[str, bytes] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return hashlib.blake2b(self.plain, digest_size=12).hexdigest()

    def body(self, encoding: str) -> bytes:
        """The bytes in `encoding` (`br` or `gzip`)."""
        found = self.bodies.get(encoding)
        if found is None:
            prepared = PREPARED / f"{self.digest}.{encoding}"
            found = prepared.read_bytes() if prepared.is_file() else compressed(self.plain, encoding, QUALITY_AT_ONCE)
            self.bodies[encoding] = found
        return found


class Folder:
    """Files under one version, read anew when one of them has changed on the disk."""

    def __init__(self, find: Callable[[], dict[str, Path]]) -> None:
        self._find = find
        self._seen: object = None
        self._looked = -LOOK_S
        self._files: dict[str, File] = {}
        self._version = ""
        self._lock = threading.Lock()

    def files(self) -> dict[str, File]:
        return self.look()[1]

    def version(self) -> str:
        """A hash of every file's name and content."""
        return self.look()[0]

    def look(self) -> tuple[str, dict[str, File]]:
        """The version and its files, of one look."""
        with self._lock:
            if time.monotonic() - self._looked < LOOK_S:
                return self._version, self._files
            paths = self._find()
            seen = [(name, path.stat().st_mtime_ns, path.stat().st_size) for name, path in sorted(paths.items())]
            if seen != self._seen:
                files = {name: File(path.read_bytes(), TYPES[path.suffix]) for name, path in sorted(paths.items())}
                if any(name.endswith(".css") for name in files):
                    files[STYLES] = File(b"\n".join(files[name].plain for name in styles(files)), TYPES[".css"])
                whole = hashlib.blake2b(digest_size=8)
                for name, file in files.items():
                    whole.update(f"{name} {file.digest}\n".encode())
                self._seen, self._files, self._version = seen, files, whole.hexdigest()
            self._looked = time.monotonic()
            return self._version, self._files


def without_fingerprint(path: str) -> str:
    """Dash's name of a file as it is on the disk."""
    return str(check_fingerprint(path)[0])  # type: ignore[no-untyped-call]


def styles(names: dict[str, File]) -> list[str]:
    """The page's own style files in the order of their numbers."""
    return sorted(name for name in names if re.fullmatch(r"\d\d-[\w-]+\.css", name))


class Files:
    """Every folder that is served, and the address of a file in it."""

    def __init__(self, assets: Path = ASSETS) -> None:
        self._folders = {
            "assets": Folder(lambda: dict(own_files(assets))),
            "vendor": Folder(lambda: {path.name: path for path in (assets / "vendor").glob("*.js")}),
            "modules": Folder(lambda: {path.name: path for path in (assets / "vendor" / "modules").glob("*.mjs")}),
            **{name: Folder(lambda name=name: dict(suite_files(name))) for name in SUITES},  # type: ignore[misc]
        }

    def get(self, folder: str, path: str) -> tuple[str, File] | None:
        """A file and the version it has now."""
        if folder not in self._folders:
            return None
        version, files = self._folders[folder].look()
        return (version, files[path]) if path in files else None

    def folder(self, name: str) -> dict[str, File]:
        """The files of a folder, by their path in it."""
        return self._folders[name].files()

    def version(self, name: str) -> str:
        """The version that a folder has now."""
        return self._folders[name].version()

    def address(self, folder: str, path: str) -> str:
        """Where a file is to be asked for."""
        return f"/static/{self._folders[folder].version()}/{folder}/{path}"

    def readdress(self, html: str) -> str:
        """Dash's tags with the addresses of this module."""

        def replace(found: re.Match[str]) -> str:
            if found["asset"]:
                folder, path = "assets", found["asset"]
            else:
                folder, path = found["suite"], without_fingerprint(found["path"])
            return self.address(folder, path) if self.get(folder, path) else found[0]

        return _DASHS.sub(replace, html)

    def every(self) -> Iterator[File]:
        """Every file that the page may load; plotly's whole bundle only where there is no smaller one."""
        for name, folder in self._folders.items():
            if name != "plotly" or not self._folders["vendor"].files():
                yield from folder.files().values()


def own_files(assets: Path) -> Iterator[tuple[str, Path]]:
    """Scripts, modules, styles and pictures under `assets/`, by their path there."""
    for path in assets.rglob("*"):
        name = path.relative_to(assets)
        if path.suffix in TYPES and name.parts[0] != "vendor":
            yield name.as_posix(), path


def suite_files(name: str) -> Iterator[tuple[str, Path]]:
    """The files of a package, by their path in it."""
    found = find_spec(name)
    root = Path(found.origin).parent if found and found.origin else Path()
    for pattern in SUITES[name]:
        for path in root.glob(pattern):
            yield path.relative_to(root).as_posix(), path


def compressed(plain: bytes, encoding: str, quality: int) -> bytes:
    """`plain` as `br` or `gzip`."""
    if encoding == "br":
        made: bytes = brotli.compress(plain, quality=quality)
        return made
    return gzip.compress(plain, 9 if quality > QUALITY_AT_ONCE else 6)


def install(server: Flask, files: Files) -> None:
    """Serve `files` on `server`, and compress what else it answers."""
    server.config |= {
        "COMPRESS_MIMETYPES": _DYNAMIC,
        "COMPRESS_STREAMS": False,
        "COMPRESS_MIN_SIZE": 1000,
        "COMPRESS_BR_LEVEL": 4,
    }
    Compress(server)
    server.jinja_env.globals["asset"] = lambda path: files.address("assets", path)

    @server.get("/static/<version>/<folder>/<path:path>")
    def static_file(version: str, folder: str, path: str) -> Response:
        found = files.get(folder, path)
        if found is None:
            abort(404)
        current, file = found
        accepted = request.accept_encodings
        best = max(("br", "gzip"), key=lambda name: accepted[name])
        encoding = best if accepted[best] > 0 else None
        response = Response(file.body(encoding) if encoding else file.plain, mimetype=file.mimetype)
        if encoding:
            response.headers["Content-Encoding"] = encoding
        response.vary.add("Accept-Encoding")
        # A page of another version (a deploy that is under way) gets what there is, and does not keep it.
        response.headers["Cache-Control"] = FOR_EVER if version == current else "no-store"
        return response


def prepare() -> int:
    """Compress every file for good; gives how many were new. What is of no use any more goes."""
    PREPARED.mkdir(parents=True, exist_ok=True)
    wanted = {PREPARED / f"{file.digest}.{encoding}": file for file in Files().every() for encoding in ("br", "gzip")}
    for old in {path for path in PREPARED.iterdir() if path.suffix} - set(wanted):
        old.unlink()
    missing = [(path, file) for path, file in wanted.items() if not path.is_file()]

    def make(one: tuple[Path, File]) -> None:
        path, file = one
        unfinished = path.with_name(f"{path.name}.part")
        unfinished.write_bytes(compressed(file.plain, path.suffix[1:], QUALITY))
        unfinished.replace(path)

    with ThreadPoolExecutor() as pool:
        list(pool.map(make, missing))
    return len(missing)
