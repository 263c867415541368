"""`make bench`: the table of measurements, each beside its baseline from the same run."""

from __future__ import annotations

import os
import platform
import sys

from tests.benchmarks import chart, hub, start, store

PARTS = {"store": store.lines, "hub": hub.lines, "chart": chart.lines, "start": start.lines}


def main() -> int:
    """Print every part, or those that are named."""
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        print(f"there is no part {unknown[0]!r}; parts are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; medians, ours and the baseline in turn\n")
    for name in wanted:
        for line in PARTS[name]():
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
