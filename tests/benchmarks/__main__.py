"""`make bench`: the table of measurements, each beside its baseline from the same run, also in RESULTS.md.

With names of parts (`python -m tests.benchmarks store hub`) only these run, and RESULTS.md keeps the others' lines.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import orjson

from tests.benchmarks.table import Line

#: The parts in the order of the table; each is a module here with `lines() -> Iterator[Line]`.
PARTS = (
    "store", "across", "throughput", "hub", "growth", "many", "storm", "export", "beside", "chart", "changing",
    "moving", "page", "start",
)  # fmt: skip
RESULTS = Path(__file__).with_name("RESULTS.md")
#: What was measured, by part, so that one part can be measured again without the others.
KEPT = Path(__file__).parents[2] / "build" / "bench.json"
LIBRARIES = ("numpy", "pandas", "polars", "dash", "plotly", "gunicorn", "uvloop", "websockets", "orjson")


def main() -> int:
    """Measure every part, or those that are named, and write RESULTS.md."""
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        print(f"there is no part {unknown[0]!r}; parts are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    print("\n".join(machine()) + "\n")
    measured: dict[str, str] = {}
    if len(sys.argv) > 1 and KEPT.is_file():
        measured = orjson.loads(KEPT.read_bytes())
    failed = False
    for name in wanted:
        lines: Callable[[], Iterator[Line]] = import_module(f"tests.benchmarks.{name}").lines
        print(f"-- {name}", flush=True)
        began, rows = time.monotonic(), []
        try:
            for line in lines():
                print(line, flush=True)
                rows.append(line.row())
        except Exception as error:
            failed = True
            print(f"{name} could not be measured: {error!r}", file=sys.stderr, flush=True)
            rows.append(f"| {name} could not be measured: {type(error).__name__} | | | | | **no** |")
        print(f"   ({time.monotonic() - began:.0f} s)\n", flush=True)
        measured[name] = "\n".join(rows)
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_bytes(orjson.dumps(measured))
        RESULTS.write_text(report(measured, whole=not sys.argv[1:]), "utf-8")
    return int(failed)


def machine() -> list[str]:
    """Where and with what it was measured."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    used = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return [
        f"{os.cpu_count()} cores of {model}, Linux {platform.release()}, Python {platform.python_version()}",
        used,
        "medians; ours and the baseline in turn, in the same run",
    ]


def report(measured: dict[str, str], *, whole: bool) -> str:
    """The text of RESULTS.md; `whole` is a run of all parts."""
    head = "| what | ours | baseline | ours against it | asked | met |\n| --- | --- | --- | --- | --- | --- |"
    parts = [f"## {name}\n\n{head}\n{measured[name]}\n" for name in PARTS if measured.get(name)]
    said = "\n".join(f"- {line}" for line in machine())
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    how = (
        "All parts in one run."
        if whole
        else "Each part's lines are of the last run that measured it, so parts may be of different runs."
    )
    return f"# Measurements\n\nWritten by `make bench` on {day}. {how}\n\n{said}\n\n" + "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
