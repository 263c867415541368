"""The bars of compared instruments: brought by a figure or asked for once, then the stream's, whole over cut lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import test_modules

blank = test_modules.blank
SERVER = Path(__file__).with_name("beside_server.js").read_text("utf-8")


def run(page: Page, code: str) -> Any:
    ready = f"const beside = await import('/compare/beside.mjs');{SERVER}const server = new Server();"
    return page.evaluate(f"async () => {{{ready}{code}}}")


BEGUN = "for (let at = 0; at < 6; at++) { server.close('B', at * 60000, at); server.close('C', at * 60000, 10 * at); }"


def test_what_a_figure_brings_is_not_asked_for(blank: Page) -> None:
    closes, asked, said = run(
        blank,
        BEGUN
        + """
        server.beside.follows(["B"]);
        server.show(0, [{ symbol: "B", epoch: "e1", seq: 9, bars: server.kept("B").slice(0, 5) }]);
        await server.settle();
        server.close("B", 360000, 7);
        await server.settle();
        return [server.closes("B"), server.asked, server.said];
        """,
    )
    assert closes == [[at * 60000, [0, 1, 2, 3, 4, 5, 7][at]] for at in range(7)]
    assert asked == []
    assert said == ["subscribe B 1m 9"]


def test_one_that_is_added_is_asked_for_once_and_older_bars_alone_when_the_chart_has_them(blank: Page) -> None:
    closes, kept, asked, said = run(
        blank,
        BEGUN
        + """
        server.show(180000);
        server.beside.follows(["B"]);
        await server.settle();
        server.beside.reach(60000);
        await server.settle();
        server.beside.reach(180000);
        server.beside.want();
        await server.settle();
        return [server.closes("B"), server.kept("B", 60000), server.asked, server.said];
        """,
    )
    assert closes == kept
    assert asked == ["B 180000", "B 60000 180000"]
    assert said == ["subscribe B 1m 12"]


def test_over_a_cut_line_it_goes_on_where_it_was_and_over_a_hole_it_reads_again(blank: Page) -> None:
    first, second, kept, asked, said = run(
        blank,
        BEGUN
        + """
        server.beside.follows(["B"]);
        server.show(0);
        await server.settle();
        server.cut();
        server.close("B", 300000, 55); server.close("B", 360000, 66);
        server.mend();
        await server.settle();
        const first = JSON.stringify(server.closes("B")) === JSON.stringify(server.kept("B"));
        server.cut();
        for (let at = 7; at < 12; at++) server.close("B", at * 60000, at);
        server.oldest = server.seq;
        server.mend();
        await server.settle();
        await new Promise((go) => setTimeout(go, 3200));
        await server.settle();
        return [first, server.closes("B"), server.kept("B"), server.asked, server.said];
        """,
    )
    assert first
    assert second == kept
    assert asked == ["B 0", "B 0"]
    assert said == [
        "subscribe B 1m 12",
        "subscribe B 1m 12",
        "subscribe B 1m 14",
        "unsubscribe B 1m",
        "subscribe B 1m 19",
    ]


def test_another_timeframe_or_epoch_is_begun_anew_and_the_charts_own_series_is_let_alone(blank: Page) -> None:
    said, held = run(
        blank,
        BEGUN
        + """
        server.beside.follows(["B", "C"]);
        server.show(0);
        await server.settle();
        server.stream.bars = { symbol: "B", timeframe: "1m" };
        server.beside.follows(["C"]);
        server.beside.follows([]);
        return [server.said, server.beside.held.size];
        """,
    )
    assert said == ["subscribe B 1m 12", "subscribe C 1m 12", "unsubscribe C 1m"]
    assert held == 0


def test_without_a_stream_the_last_price_is_the_close_of_its_bar(blank: Page) -> None:
    closes = run(
        blank,
        BEGUN
        + """
        server.beside.follows(["B"]);
        server.show(0);
        await server.settle();
        server.market.state.state = "polling";
        const say = (price, ts) => { server.tickers = { B: { price, ts } }; server.beside.follow(["B", "C"]); };
        say(51, 310000); say(52, 250000); say(61, 360001); say(null, 420000);
        return server.closes("B").slice(-3);
        """,
    )
    assert closes == [[240000, 4], [300000, 51], [360000, 61]]


def test_what_could_not_be_had_is_said_and_asked_for_again(blank: Page) -> None:
    told, closes, kept = run(
        blank,
        BEGUN
        + """
        const told = [];
        server.beside.failed = (symbol, why) => told.push([symbol, why]);
        server.down = true;
        server.beside.follows(["B"]);
        server.show(0);
        await server.settle();
        server.down = false;
        await new Promise((go) => setTimeout(go, 3200));
        await server.settle();
        return [told, server.closes("B"), server.kept("B")];
        """,
    )
    assert told == [["B", "no line"], ["B", ""]]
    assert closes == kept


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_in_whatever_order_it_ends_with_what_the_server_has(blank: Page, seed: int) -> None:
    pairs = run(
        blank,
        f"""
        let state = {seed} * 7919 + 17;
        const chance = (of) => (state = (state * 1103515245 + 12345) % 2147483648, Math.floor(state / 65536) % of);
        let newest = 5, first = 0, cut = false, follows = [];
        {BEGUN}
        server.show(first);
        for (let turn = 0; turn < 300; turn++) {{
          const what = chance(20);
          if (what < 9) server.close(chance(2) ? "B" : "C", (newest - chance(3)) * 60000, chance(1000));
          else if (what < 11) newest += 1;
          else if (what < 15 && server.wire.length) server.step();
          else if (what === 15) {{ if (cut) server.mend(); else server.cut(); cut = !cut; }}
          else if (what === 16) server.beside.follows(follows = [[], ["B"], ["B", "C"], ["C", "B"]][chance(4)]);
          else if (what === 17) server.beside.reach(first = chance(4) * 60000);
          else await new Promise((go) => setTimeout(go));
        }}
        if (cut) server.mend();
        server.beside.follows(["B", "C"]);
        server.beside.reach(first = 0);
        await server.settle();
        server.close("B", newest * 60000, 1);
        server.close("C", newest * 60000, 2);
        await server.settle();
        return ["B", "C"].map((symbol) => [server.closes(symbol), server.kept(symbol)]);
        """,
    )
    for mine, theirs in pairs:
        assert len(theirs) > 6
        assert mine == theirs
