"""Runs the table of cases and prints what passed: `python -m tests.conformance [PORT]`.

Without a port it starts the echo server under gunicorn; with one, it asks what echoes at `/` there, on loopback.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tests.conformance.cases import TABLE, Case
from tests.conformance.deflate import EXAMPLES, OFFER
from tests.conformance.peer import Peer
from tests.conformance.running import complaint, echoing, run


def ask(port: int) -> int:
    """Print a line a group and one for each case that fails; gives how many failed."""
    groups: dict[str, tuple[Iterable[Case], str | None]] = {name: (cases, None) for name, cases in TABLE.items()}
    groups["RFC 7692"] = EXAMPLES, OFFER
    failed = unclean = whole = 0
    print("| cases | of | passed | unclean |\n| --- | --- | --- | --- |")
    for name, (cases, offer) in groups.items():
        results = [(case, run(case, lambda offer=offer: Peer(port, offer=offer))) for case in cases]
        wrong = [said for case, heard in results if (said := complaint(case, heard)) is not None]
        dirty = sum(not heard.clean for _, heard in results)
        print(f"| {name} | {len(results)} | {len(results) - len(wrong)} | {dirty} |", *wrong, sep="\n  ", flush=True)
        failed, unclean, whole = failed + len(wrong), unclean + dirty, whole + len(results)
    print(f"| all | {whole} | {whole - failed} | {unclean} |")
    return failed


def main() -> int:
    """Ask the server that the command line names, or one of our own."""
    if len(sys.argv) > 1:
        return min(1, ask(int(sys.argv[1])))
    with echoing("gthread") as server:
        return min(1, ask(server.port))


if __name__ == "__main__":
    sys.exit(main())
