"""What a fuzz test judges beside its own law: how long the slowest input took, memory, and the branches taken."""

from __future__ import annotations

import ast
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import coverage
import orjson

from tests.conftest import Scale
from tests.fuzz.mutation import Mutator

#: No input may take longer; judged in full, where nothing else runs on the machine.
SLOWEST_S = 0.1
#: What the process may grow by between the first tenth and the end, judged in full.
GROWN_BYTES = 5_000_000
#: Share of a parser's branches that its inputs have to take.
BRANCHES = 0.95


#: The seed where branches are counted: whether all are taken must not depend on luck.
_steady: int | None = None


def resident() -> int:
    """Bytes of this process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def seed() -> int:
    """The seed of this run: `FUZZ_SEED`, or a new one; printed, so that a failure can be repeated."""
    found = int(os.environ.get("FUZZ_SEED", "0")) or _steady or int.from_bytes(os.urandom(4), "big")
    print(f"FUZZ_SEED={found}")
    return found


def attack(
    scale: Scale, short: int, full: int, attempt: Callable[[Mutator, int], object], *, judged: bool = True
) -> None:
    """Call `attempt(mutator, number)` that often; whatever it raises is told with seed and number.

    Each number has a mutator of its own, so that one input can be made again without those before it: a slow one is
    tried twice more, for the machine may have been away. Times and memory are `judged` in full.
    """
    base, rounds = seed(), scale.of(short, full)
    longest, which, before = 0.0, 0, 0
    for number in range(rounds):
        if number == rounds // 10:
            before = resident()
        mutator = Mutator(base * 1_000_003 + number)
        began = time.perf_counter()
        try:
            attempt(mutator, number)
        except BaseException as error:
            error.add_note(f"FUZZ_SEED={base}, input {number} of {rounds}")
            raise
        took = time.perf_counter() - began
        if took > SLOWEST_S and scale.full and judged:
            took = min(took, *(_again(attempt, base, number) for _ in range(2)))
        if took > longest:
            longest, which = took, number
    grown = resident() - before
    print(f"{rounds} inputs, slowest {longest * 1000:.1f} ms (number {which}), grown {grown / 1e6:.1f} MB")
    if scale.full and judged:
        assert longest <= SLOWEST_S, f"input {which} took {longest * 1000:.1f} ms (FUZZ_SEED={base})"
        assert grown <= GROWN_BYTES, f"grew by {grown / 1e6:.1f} MB in {rounds} inputs (FUZZ_SEED={base})"


def _again(attempt: Callable[[Mutator, int], object], base: int, number: int) -> float:
    began = time.perf_counter()
    attempt(Mutator(base * 1_000_003 + number), number)
    return time.perf_counter() - began


class Taken:
    """The branches that inputs took in some functions."""

    def __init__(self) -> None:
        self.possible = self.missed = 0
        self.lines: list[str] = []

    @property
    def share(self) -> float:
        return 1.0 - self.missed / self.possible


@contextmanager
def branches(modules: dict[ModuleType, tuple[str, ...]], least: float = BRANCHES) -> Iterator[Taken]:
    """Fails where less than `least` of the branches in the named functions are taken inside.

    None named means all, one with a minus in front is left out: it only runs when the module is imported.
    """
    files = {str(Path(module.__file__ or "").resolve()): names for module, names in modules.items()}
    measured = coverage.Coverage(branch=True, include=list(files), data_file=None, config_file=False)
    taken = Taken()
    global _steady  # noqa: PLW0603
    _steady = 1
    measured.start()
    try:
        yield taken
    finally:
        measured.stop()
        _steady = None
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        measured.json_report(outfile=report.name)
        told = orjson.loads(Path(report.name).read_bytes())["files"]
    for name, found in told.items():
        file = Path(name).resolve()
        wanted = _lines_of(file, files[str(file)])
        missed = [arc for arc in found["missing_branches"] if arc[0] in wanted]
        taken.missed += len(missed)
        taken.possible += len(missed) + sum(line in wanted for line, _ in found["executed_branches"])
        taken.lines += [f"{file.name}:{line} to {end if end > 0 else 'the end'}" for line, end in missed]
    print(f"branches: {taken.possible - taken.missed} of {taken.possible}, {taken.share:.1%}; not: {taken.lines}")
    assert taken.possible, "nothing was measured"
    assert taken.share >= least, f"{taken.share:.1%} of the branches were taken, not these: {taken.lines}"


def _lines_of(file: Path, names: tuple[str, ...]) -> set[int]:
    """The lines of the functions and methods with these names."""
    found: dict[str, set[int]] = {}
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.setdefault(node.name, set()).update(range(node.lineno, (node.end_lineno or 0) + 1))
    without = {name[1:] for name in names if name.startswith("-")}
    wanted = {name for name in names if not name.startswith("-")} or set(found) - without
    unknown = (wanted | without) - set(found)
    assert not unknown, f"{file.name} has no {', '.join(sorted(unknown))}"
    return set().union(*(found[name] for name in wanted))
