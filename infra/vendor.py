"""What the page loads, made ready at set-up: a plotly.js with the traces that are drawn, the page's own modules as few
files, and everything compressed.

Dash's own plotly.js has 47 kinds of traces and takes 1.5 s of a laptop to run; this one a quarter of the size. More
than a hundred modules, each a request, delay the first candle by half a second. Without either the page works all the
same, and files are compressed at their first request: whatever goes wrong here is one sentence, never a failed set-up.
What could not be fetched is not tried again for a day; `--again` tries at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements" / "package-lock.json"
NODE = ROOT / "requirements" / "assets.txt"
ASSETS = ROOT / "assets"
TARGET = ASSETS / "vendor"
#: What `dashboard/ui/figures.py` draws; scatter is in the core. Each further one costs, of 1,170 KB (brotli 361):
#: ohlc 3 KB (0.5), histogram 23 (7), heatmap 34 (11), treemap 111 (36). It comes in with the chart that needs it.
TRACES = ("candlestick", "bar")
#: How the modules are bundled: what another page imports when it is shown stays a file of its own.
MODULES = (
    "--bundle",
    "--splitting",
    "--minify",
    "--format=esm",
    "--target=es2022",
    "--charset=utf8",
    "--out-extension:.js=.mjs",
    "--entry-names=page",
    "--chunk-names=[name]-[hash]",
    "--log-level=error",
)
#: How long the chunks of an earlier bundle stay, s: a page that was opened before still asks for them.
CHUNKS_S = 7 * 86_400
#: The longest that one step may take, and an address may say nothing, s.
PATIENCE_S, SILENT_S = 60, 20
#: How long a failure is kept, s: without a network every start would wait for it anew.
KEPT_S = 86_400


def main(arguments: list[str]) -> int:
    bundle_plotly(again="--again" in arguments)
    bundle_modules()
    compress()
    return 0


def compress() -> None:
    """Compress what the page loads, where the product is beside this file, and anything has changed since."""
    sources = [path for path in ASSETS.rglob("*") if path.is_file() and "compressed" not in path.parts]
    sources = [path for path in sources if path != TARGET / "esbuild"]
    sources += [ROOT / "requirements" / "base.txt", ROOT / "dashboard" / "ui" / "static.py"]
    if not sources[-1].is_file():
        return
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()
    kept = TARGET / "compressed" / "stamp"
    if kept.is_file() and kept.read_text() == stamp:
        return
    try:
        run([sys.executable, "-c", "from dashboard.ui.static import prepare; prepare()"], ROOT)
        kept.write_text(stamp)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"Scripts and styles could not be compressed in advance ({short(error)}); they are at the first request.")


def bundle_plotly(*, again: bool = False) -> None:
    """Bundle plotly.js unless it is there, or could not be had within the last day."""
    stamp = hashlib.sha256(LOCK.read_bytes() + Path(__file__).read_bytes()).hexdigest()
    if (TARGET / "stamp").is_file() and (TARGET / "stamp").read_text() == stamp:
        return
    failed = TARGET / "failed"
    if not again and failed.is_file() and failed.read_text() == stamp and time.time() < failed.stat().st_mtime + KEPT_S:
        return
    try:
        with tempfile.TemporaryDirectory(prefix="tickboard-vendor-") as folder:
            build(Path(folder))
        (TARGET / "stamp").write_text(stamp)
        failed.unlink(missing_ok=True)
        print("plotly.js is bundled in assets/vendor")
    except (OSError, subprocess.SubprocessError) as error:
        print(f"The smaller plotly.js could not be made ({short(error)}); the page takes the one that Dash brings.")
        with contextlib.suppress(OSError):
            TARGET.mkdir(parents=True, exist_ok=True)
            failed.write_text(stamp)


def build(folder: Path) -> None:
    """Install what the lock names, from the npm registry, and bundle it."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "requirements" / name, folder)
    command = [*npm(), "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    waiting("plotly.js from the npm registry")
    run([*command, "--fetch-retries=0", f"--fetch-timeout={SILENT_S * 1000}"], folder)
    lines = [f"require('plotly.js/lib/{trace}')" for trace in TRACES]
    (folder / "index.js").write_text(
        f"const core = require('plotly.js/lib/core');\ncore.register([{', '.join(lines)}]);\nmodule.exports = core;\n"
    )
    esbuild = next(iter(sorted((folder / "node_modules" / "@esbuild").glob("*/bin/esbuild"))), None)
    if esbuild is None:
        raise OSError("esbuild has no binary for this machine")
    out = folder / "plotly.min.js"
    run(
        [
            str(esbuild),
            "index.js",
            "--bundle",
            "--minify",
            "--format=iife",
            "--global-name=Plotly",
            "--define:global=window",
            "--legal-comments=inline",
            f"--outfile={out}",
        ],
        folder,
    )
    TARGET.mkdir(parents=True, exist_ok=True)
    shutil.copy(out, TARGET / "plotly.min.js")
    shutil.copy(folder / "node_modules" / "plotly.js" / "LICENSE", TARGET / "plotly.LICENSE.txt")
    shutil.copy(esbuild, TARGET / "esbuild")


def bundle_modules() -> None:
    """Bundle the page's modules with the esbuild that came with plotly.js, unless that is done of just these."""
    esbuild, entry, folder = TARGET / "esbuild", ASSETS / "main.mjs", TARGET / "modules"
    if not esbuild.is_file() or not entry.is_file():
        return
    stamp, made_of = folder / "stamp.json", made_of_modules()
    try:
        if whole(stamp, made_of):
            return
        folder.mkdir(parents=True, exist_ok=True)
        replaced(stamp)
        # Without a stamp the server takes the plain modules: no page gets half a bundle.
        stamp.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="tickboard-modules-") as name:
            out = Path(name)
            run([str(esbuild), str(entry), *MODULES, f"--outdir={out}", f"--metafile={out / 'meta.json'}"], ROOT)
            first = first_files(json.loads((out / "meta.json").read_text()))
            made = sorted(out.glob("*.mjs"))
            for path in made:
                shutil.copyfile(path, folder / path.name)
        names = {path.name for path in made}
        for old in folder.glob("*.mjs"):
            if old.name not in names and old.stat().st_mtime < time.time() - CHUNKS_S:
                old.unlink()
        files = {name: digest(folder / name) for name in sorted(names)}
        stamp.write_text(json.dumps({"made_of": made_of, "how": MODULES, "first": first, "files": files}, indent=1))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"The page's modules could not be bundled ({short(error)}); the page takes them one by one.")


def replaced(stamp: Path) -> None:
    """The days that a chunk is kept for pages that are open still count from now on, not from when it was made."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        for name in json.loads(stamp.read_text())["files"]:
            with contextlib.suppress(FileNotFoundError):
                os.utime(stamp.parent / Path(name).name)


def whole(stamp: Path, made_of: str) -> bool:
    """Whether the bundle beside `stamp` is there as it was written, of these modules and in this way."""
    try:
        kept = json.loads(stamp.read_text())
        there = all(digest(stamp.parent / name) == known for name, known in kept["files"].items())
        return there and kept["made_of"] == made_of and kept["how"] == list(MODULES)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def made_of_modules() -> str:
    """A hash of every module's name and content, as `dashboard/ui/bundle.py` makes it of what is served."""
    names = {path.relative_to(ASSETS).as_posix(): path for path in ASSETS.rglob("*.mjs") if TARGET not in path.parents}
    lines = (f"{name} {digest(path)}\n" for name, path in sorted(names.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=12).hexdigest()


def first_files(meta: Any) -> list[str]:
    """The bundle's entry, and after it what that imports at once, of esbuild's own account of what it wrote."""
    outputs = {Path(path).name: about for path, about in meta["outputs"].items()}
    found = ["page.mjs"]
    for name in found:
        for imported in outputs[name]["imports"]:
            chunk = Path(imported["path"]).name
            if imported["kind"] == "import-statement" and chunk not in found:
                found.append(chunk)
    return found


def npm() -> list[str]:
    """The command that is npm: the system's, or the one that a Python package brings without root."""
    found = shutil.which("npm")
    if found:
        return [found]
    waiting("Node.js from the Python package index")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    run([*pip, "--retries", "0", "--timeout", str(SILENT_S), "-r", str(NODE)], ROOT)
    return [str(Path(sys.executable).with_name("npm"))]


def waiting(what: str) -> None:
    print(f"Fetching {what}, for a page that starts sooner; {PATIENCE_S} s at most.", flush=True)


def run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, timeout=PATIENCE_S, capture_output=True)


def short(error: Exception) -> str:
    """Why, in one line: the first that the command calls an error."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"not done in {error.timeout:g} s"
    output: bytes = getattr(error, "stderr", b"") or b""
    lines = output.decode("utf-8", "replace").strip().splitlines()
    said = next((line for line in lines if "error" in line.lower()), lines[0] if lines else str(error))
    return said.strip()[:160]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
