"""What the page loads, made ready at set-up: a plotly.js with the traces that are drawn, and every file compressed.

Dash's own plotly.js has 47 kinds of traces and takes 1.5 s of a laptop to run; this one a quarter of the size. Without
it the page works all the same, and files are compressed at their first request: whatever goes wrong here is one
sentence, never a failed set-up. What could not be fetched is not tried again for a day; `--again` tries at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements" / "package-lock.json"
NODE = ROOT / "requirements" / "assets.txt"
TARGET = ROOT / "assets" / "vendor"
#: What `dashboard/ui/figures.py` draws; scatter is in the core. Each further one costs, of 1,170 KB (brotli 361):
#: ohlc 3 KB (0.5), histogram 23 (7), heatmap 34 (11), treemap 111 (36). It comes in with the chart that needs it.
TRACES = ("candlestick", "bar")
#: The longest that one step may take, and an address may say nothing, s.
PATIENCE_S, SILENT_S = 60, 20
#: How long a failure is kept, s: without a network every start would wait for it anew.
KEPT_S = 86_400


def main(arguments: list[str]) -> int:
    bundle_plotly(again="--again" in arguments)
    compress()
    return 0


def compress() -> None:
    """Compress what the page loads, where the product is beside this file, and anything has changed since."""
    sources = [path for path in (ROOT / "assets").rglob("*") if path.is_file() and "compressed" not in path.parts]
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
