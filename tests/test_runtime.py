"""The parts together: a start that fails leaves nothing behind and says why."""

from __future__ import annotations

import gc
import sys
import tempfile
import threading
import types
from pathlib import Path
from unittest.mock import Mock

import pytest

from dashboard.config import load_settings
from dashboard.errors import StartRefused
from dashboard.runtime import Runtime, claim_market


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """One in a worker of gunicorn, as far as the market's claim can tell."""
    monkeypatch.setitem(sys.modules, "gunicorn.arbiter", types.ModuleType("gunicorn.arbiter"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    given = {"DATABASE_URL": f"sqlite:///{tmp_path}/test.db", "SEED": "1", "STORE_MB": "16", "SYMBOLS": "AAPL"}
    made = Runtime(load_settings({f"DASHBOARD_{name}": value for name, value in given.items()}, env_file=None))
    made.database.migrate_if_embedded()
    return made


@pytest.mark.parametrize(
    "part", ["writer.start", "hub.start", "store.load_history", "engine.start", "supervisor.start"]
)
def test_a_start_that_fails_is_undone_and_told_again_at_once(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    before = set(threading.enumerate())
    monkeypatch.setattr(runtime, "log", Mock())
    owner, _dot, name = part.partition(".")
    monkeypatch.setattr(getattr(runtime, owner), name, Mock(side_effect=MemoryError("no room")))
    with pytest.raises(MemoryError):
        runtime.start()
    assert not runtime.started
    assert {thread.name for thread in set(threading.enumerate()) - before if "format" not in thread.name} == set()
    # The claim is free for another process.
    claim = claim_market(wait_s=0.0)
    assert claim is not None
    claim.close()
    with pytest.raises(StartRefused, match="the market could not be started: no room"):
        runtime.start()
    runtime.stop()


def test_a_start_that_waits_for_a_sibling_in_vain_may_be_tried_again(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("dashboard.runtime.claim_market", Mock(side_effect=StartRefused("another")))
        with pytest.raises(StartRefused, match="another"):
            runtime.start()
    runtime.start()
    assert runtime.started
    runtime.stop()


def test_what_is_there_at_the_start_is_not_looked_through_for_garbage_again(runtime: Runtime) -> None:
    """A full collection of what the libraries hold stops every thread for 0.1 s, at any moment."""
    gc.unfreeze()
    runtime.start()
    assert gc.get_freeze_count() > 50_000
    runtime.stop()
    assert gc.get_freeze_count() == 0
