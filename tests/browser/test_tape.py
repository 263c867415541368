"""The tape: ticks of one instrument, each once and in order, over cut lines, other instruments, gaps and epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.test_modules import blank

__all__ = ["blank"]

SERVER = Path(__file__).with_name("tape_server.js").read_text("utf-8")


def run(page: Page, code: str) -> Any:
    ready = f"const tape = await import('/live/tape.mjs');{SERVER}const server = new Server();"
    return page.evaluate(f"async () => {{{ready}{code}}}")


def test_what_is_kept_comes_first_then_the_stream_goes_on_from_there(blank: Page) -> None:
    told, asked = run(
        blank,
        """
        for (let at = 0; at < 3; at++) server.tick();
        server.tape.watch("A");
        await server.settle();
        server.tick(); server.tick("B"); server.tick();
        await server.settle();
        return [server.told.map(([seq]) => seq), server.asked];
        """,
    )
    assert told == [1, 2, 3, 4, 6]
    assert asked == ["A ?limit=1000"]


def test_over_a_cut_line_nothing_is_lost_and_nothing_comes_twice(blank: Page) -> None:
    told, asked = run(
        blank,
        """
        server.tick();
        server.tape.watch("A");
        await server.settle();
        server.tick();
        await server.settle();
        server.cut();
        server.tick(); server.tick();
        server.mend();
        await server.settle();
        server.tick();
        await server.settle();
        return [server.told.map(([seq]) => seq), server.asked.at(-1)];
        """,
    )
    assert told == [1, 2, 3, 4, 5]
    assert asked == "A ?epoch=e1&after_seq=2&limit=5000"


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_in_whatever_order_the_tape_ends_with_what_the_server_has(blank: Page, seed: int) -> None:
    told, kept, doubled = run(
        blank,
        f"""
        let state = {seed} * 7919 + 17;
        const chance = (of) => (state = (state * 1103515245 + 12345) % 2147483648, Math.floor(state / 65536) % of);
        let shown = "A", cut = false, doubled = 0;
        server.tape.watch(shown);
        for (let turn = 0; turn < 400; turn++) {{
          const what = chance(20);
          server.hold = chance(2) === 0;
          if (what < 10) server.tick(chance(2) ? "A" : "B");
          else if (what < 14 && server.wire.length) server.step();
          else if (what < 16) {{ server.answers.shift()?.(); await new Promise((go) => setTimeout(go)); }}
          else if (what === 16) {{ if (!cut) server.cut(); else server.mend(); cut = !cut; }}
          else if (what === 17) server.tape.watch(shown = shown === "A" ? "B" : "A");
          else if (what === 18) {{ server.tape.leave(); server.tape.watch(shown); }}
          else server.tape.take({{ type: "heartbeat", seq: server.wire.length ? 0 : server.seq }});
          const seqs = server.told.map(([seq]) => seq);
          if (seqs.some((seq, at) => at && seq <= seqs[at - 1])) doubled += 1;
        }}
        server.hold = false;
        if (cut) server.mend();
        await server.settle();
        return [server.told.map(([seq]) => seq), server.of(shown).map((row) => row[0]), doubled];
        """,
    )
    assert doubled == 0
    assert told == kept
    assert len(told) > 20


def test_an_answer_to_a_question_about_another_instrument_is_void(blank: Page) -> None:
    told = run(
        blank,
        """
        server.tick("A"); server.tick("B");
        server.hold = true;
        server.tape.watch("A");
        server.tape.watch("B");
        server.hold = false;
        await server.settle();
        return server.told.map(([seq]) => seq);
        """,
    )
    assert told == [2]


def test_another_epoch_begins_anew(blank: Page) -> None:
    told = run(
        blank,
        """
        for (let at = 0; at < 5; at++) server.tick();
        server.tape.watch("A");
        await server.settle();
        server.cut();
        Object.assign(server, { epoch: "e2", seq: 0, ticks: [] });
        server.tick("A", 77);
        server.mend("e2");
        await server.settle();
        server.tick("A", 78);
        await server.settle();
        return server.told;
        """,
    )
    assert told == [[1, 77, False], [2, 78, False]]


def test_where_ticks_are_not_kept_any_more_the_hole_is_told(blank: Page) -> None:
    told = run(
        blank,
        """
        server.tick();
        server.tape.watch("A");
        await server.settle();
        server.cut();
        for (let at = 0; at < 9; at++) server.tick();
        server.oldest = 8;
        server.mend();
        await server.settle();
        return server.told.map(([seq, , hole]) => [seq, hole]);
        """,
    )
    assert told == [[1, False], [8, True], [9, False], [10, False]]


def test_after_a_long_absence_only_the_newest_are_read(blank: Page) -> None:
    told = run(
        blank,
        """
        server.tick();
        server.tape.watch("A");
        await server.settle();
        server.cut();
        for (let at = 0; at < 6000; at++) server.tick();
        server.mend();
        await server.settle();
        return [server.told.length, server.told[0], server.told.at(-1)[0]];
        """,
    )
    assert told == [1000, [5002, 5002, False], 6001]


def test_a_gap_of_the_stream_is_filled_from_the_store(blank: Page) -> None:
    told = run(
        blank,
        """
        server.tick();
        server.tape.watch("A");
        await server.settle();
        server.subscribed = null;
        server.tick(); server.tick();
        server.tape.take({ type: "gap", channel: "ticks", symbol: "A", from_seq: 2, to_seq: 3 });
        await new Promise((go) => setTimeout(go, 700));
        await server.settle();
        server.tick();
        await server.settle();
        return server.told.map(([seq]) => seq);
        """,
    )
    assert told == [1, 2, 3, 4]


def test_a_failure_is_a_sentence_until_the_next_try_succeeds(blank: Page) -> None:
    failed, after, told = run(
        blank,
        """
        server.tick();
        server.down = true;
        server.tape.watch("A");
        await server.settle();
        const failed = server.sentence;
        server.down = false;
        await server.tape.look();
        await server.settle();
        return [failed, server.sentence, server.told.length];
        """,
    )
    assert failed == "the server did not answer."
    assert (after, told) == ("", 1)
