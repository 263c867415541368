"""The rows of the list by themselves: moves within a group, headings, rows that stay the same objects."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.browser.test_modules import blank

__all__ = ["blank"]


def run(page: Page, code: str) -> Any:
    return page.evaluate(f"async () => {{const rows = await import('/page/rows.mjs');{code}}}")


def test_a_move_changes_nothing_but_the_order_within_its_group(blank: Page) -> None:
    """Every division of five instruments into two groups, beside one of another market; every move."""
    moves, wrong = run(
        blank,
        """
        let moves = 0;
        const wrong = [];
        const names = ["A", "B", "C", "D", "E"];
        for (let division = 0; division < 32; division++) {
          const members = names.map((symbol, at) => ({ symbol, class: (division >> at) & 1 ? "x" : "y" }));
          const symbols = ["A", "B", "?", "C", "D", "E"];
          for (const symbol of names) {
            const block = rows.neighbours(members, symbol, "class");
            for (let to = 0; to < block.length; to++) {
              moves += 1;
              const after = rows.moved(symbols, block, symbol, to);
              const inside = after.filter((one) => block.includes(one));
              const others = (list) => list.map((one) => (block.includes(one) ? "-" : one)).join();
              const rest = (list) => list.filter((one) => one !== symbol).join();
              const there = inside.indexOf(symbol) === to && rest(inside) === rest(block);
              if (!there || others(after) !== others(symbols)) wrong.push([division, symbol, to, after]);
            }
          }
        }
        return [moves, wrong];
        """,
    )
    assert moves == 480
    assert wrong == []


def test_rows_come_under_headings_where_there_are_several_groups_and_stay_the_same_objects(blank: Page) -> None:
    by_class, by_sector, one_group, same = run(
        blank,
        """
        const made = new Map();
        const all = [["A", "stock", "Tech"], ["B", "crypto", ""], ["C", "stock", "Energy"]]
          .map(([symbol, kind, sector]) => ({ symbol, name: symbol, class: kind, sector }));
        const of = (list, grouping) => rows.rowsOf(list, grouping, { stock: "Stocks" }, made);
        const ids = (list, grouping) => of(list, grouping).map((row) => row.group ?? row.id);
        const first = of(all, "class");
        const same = of(all, "class").every((row, at) => row === first[at]);
        return [ids(all, "class"), ids(all, "sector"), ids([all[0], all[2]], "class"), same];
        """,
    )
    assert by_class == ["Stocks", "A", "C", "crypto", "B"]
    assert by_sector == ["Tech", "A", "Other", "B", "Energy", "C"]
    assert one_group == ["A", "C"]
    assert same
