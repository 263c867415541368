"""The modules of drawing by themselves: what lies between two points, lines cut at the pane, changes put together, and
what becomes of a change when the server is away, slow, of another opinion, or was told something else meanwhile."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from dashboard.api.documents import DRAWINGS_BYTES
from dashboard.workbench import drawings
from tests.browser import test_modules

blank = test_modules.blank
MODULES = """
const [kinds, merge, measure, parts, drafts, kept] = await Promise.all(
  ["kinds", "merge", "measure", "parts", "drafts", "kept"].map((name) => import(`/drawing/${name}.mjs`)));
const line = (id, price = 1) => ({ id, kind: "horizontal", points: [[1e12, price]], style: {}, text: "" });
const settled = (test, patience = 6000) => new Promise((done, fail) => {
  const began = performance.now();
  const look = () => {
    if (test()) done();
    else if (performance.now() - began > patience) fail(new Error("not settled"));
    else setTimeout(look, 20);
  };
  look();
});
"""
Answer = tuple[int, Any]


def run(page: Page, code: str, given: Any = None) -> Any:
    return page.evaluate(f"async (given) => {{{MODULES}{code}}}", given)


class Server:
    """The drawings as a server keeps them, which fails and forgets as it is told."""

    def __init__(self) -> None:
        self.version, self.rows = 0, []
        self.fails: list[Any] = []
        self.asked: list[str] = []

    def put(self, *rows: dict[str, Any]) -> None:
        """Another tab saves."""
        self.version, self.rows = self.version + 1, list(rows)

    def answer(self, route: Route) -> None:
        request = route.request
        self.asked.append(request.method)
        fault = self.fails.pop(0) if self.fails else None
        if fault == "cut":
            route.abort()
        elif isinstance(fault, tuple):
            route.fulfill(status=fault[0], body=json.dumps(fault[1]), content_type="application/problem+json")
        elif request.method == "PUT" and request.headers["if-match"] != f'"{self.version}"':
            route.fulfill(status=412, body=json.dumps({"detail": "outrun", "version": self.version}))
        else:
            if request.method == "PUT":
                self.put(*json.loads(request.post_data or "")["drawings"])
            if fault == "lost":
                route.abort()
            else:
                route.fulfill(body=json.dumps({"version": self.version, "drawings": self.rows}))


def horizontal(name: str, price: float = 1) -> dict[str, Any]:
    return {"id": name, "kind": "horizontal", "points": [[10**12, price]], "style": {}, "text": ""}


@pytest.fixture
def server(blank: Page) -> Server:
    made = Server()
    blank.route("**/api/v1/drawings/**", made.answer)
    return made


BEGIN = """
const made = new kept.Kept("A^B", new drafts.Drafts("ada"), () => {});
const ids = () => made.drawings.map((each) => each.id).join("");
await made.load();
"""


def test_page_and_server_agree_on_kinds_points_dashes_and_limits(blank: Page) -> None:
    found = run(
        blank,
        """return [Object.fromEntries(Object.entries(kinds.KINDS).map(([name, { points }]) => [name, points])),
          Object.keys(kinds.DASHES), kinds.MOST, kinds.MOST_TEXT, kinds.MOST_BYTES, Object.keys(kinds.COLORS),
          Array.from({ length: 50 }, kinds.newId)];""",
    )
    points, dashes, most, longest, size, colors, ids = found
    assert points == drawings.POINTS
    assert dashes == list(drawings.DASHES)
    assert (most, longest, size) == (drawings.DRAWINGS, drawings.TEXT, DRAWINGS_BYTES)
    assert len(set(ids)) == 50
    rows = [{**horizontal(each), "style": {"color": color}} for each, color in zip(ids, colors, strict=False)]
    assert drawings.checked({"drawings": rows})["drawings"]


@pytest.mark.parametrize(
    "typed",
    [
        "a\tb",
        "  x\r\ny ",
        "e\u0301",
        "\x00\x07bell",
        "line\u2028break",
        "<b>&amp;</b>",
        "😀" * 600,
        "a" * 499 + " b",
        "\ue000x",
    ],
)
def test_a_text_is_made_one_that_the_server_takes_as_it_is(blank: Page, typed: str) -> None:
    text = run(blank, "return kinds.textOf(given);", typed)
    row = {**horizontal("a"), "kind": "text", "text": text}
    assert drawings.checked({"drawings": [row]})["drawings"][0]["text"] == text


def test_points_are_such_as_the_server_takes_wherever_the_hand_goes(blank: Page) -> None:
    wild = [[-5e15, 1e300], [1e20, -1e300], [1.5, 1.005], [0, 0]]
    points = run(blank, "return given.map(([ms, price]) => kinds.pointOf(ms, price, 2));", wild)
    rows = [{**horizontal(str(at)), "points": [point]} for at, point in enumerate(points)]
    assert [row["points"][0] for row in drawings.checked({"drawings": rows})["drawings"]] == points


def test_a_measure_says_change_percent_bars_and_time(blank: Page) -> None:
    rows = [[at * 60_000, 1, 1, 1, 1] for at in [*range(100, 160), *range(200, 260)]]  # an hour without bars
    minute = 60_000
    cases = [
        [[[100 * minute, 100], [124 * minute, 101.5]], "+1.50 (+1.50%)", "24 bars · 24 min"],
        [[[124 * minute, 101.5], [100 * minute, 100]], "−1.50 (−1.48%)", "−24 bars · −24 min"],
        [[[150 * minute, 100], [210 * minute, 100]], "0.00 (0.00%)", "20 bars · 1 h"],
        [[[259 * minute, 100], [262 * minute, 100.1]], "+0.10 (+0.10%)", "3 bars · 3 min"],
        [[[20 * minute, 100], [130 * minute, 100.1]], "+0.10 (+0.10%)", "1 h 50 min"],
        [[[100 * minute, -2], [101 * minute, 1]], "+3.00", "1 bar · 1 min"],
    ]
    for points, *said in cases:
        found = run(
            blank, "return measure.measured(given[0], { rows: given[1], ms: 60000, decimals: 2 });", [points, rows]
        )
        assert found == said
    spans = {0: "0 s", 999: "1 s", 61_000: "1 min 1 s", 86_400_000: "1 d", 90_061_000: "1 d 1 h", 86_460_000: "1 d"}
    assert run(blank, "return given.map(measure.span);", list(spans)) == list(spans.values())


@pytest.mark.parametrize("seed", range(3))
def test_a_line_is_cut_at_the_pane_and_what_is_left_lies_on_it(blank: Page, seed: int) -> None:
    chance = random.Random(seed)
    lines = [[chance.uniform(-1e4, 1e4) for _ in range(4)] for _ in range(200)]
    cut = run(blank, "return given.map((each) => parts.clipped(each, { width: 800, height: 400 }));", lines)
    assert any(cut)
    for (x1, y1, x2, y2), left in zip(lines, cut, strict=True):
        inside = [
            (x1 + (x2 - x1) * at / 4000, y1 + (y2 - y1) * at / 4000)
            for at in range(4001)
            if 0 <= x1 + (x2 - x1) * at / 4000 <= 800 and 0 <= y1 + (y2 - y1) * at / 4000 <= 400
        ]
        if left is None:
            assert inside == []
            continue
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        for x, y in (left[:2], left[2:]):
            assert abs((x - x1) * (y2 - y1) - (y - y1) * (x2 - x1)) / length < 1e-6
            assert -33 <= x <= 833
            assert -33 <= y <= 433
        low, high = sorted((left[0], left[2]))
        assert all(low - 1e-6 <= x <= high + 1e-6 for x, _ in inside)


def test_a_change_is_found_and_made_again_to_other_drawings(blank: Page) -> None:
    base, mine = [horizontal(each) for each in "abc"], [horizontal("a", 2), horizontal("c"), horizontal("d")]
    change, none, again, joined = run(
        blank,
        """const change = merge.difference(given.base, given.mine);
        const second = { put: [line("b", 9), line("e")], gone: ["d"] };
        return [change, merge.isNone(merge.difference(given.base, structuredClone(given.base))),
          merge.applied(given.others, change), merge.joined(change, second)];""",
        {"base": base, "mine": mine, "others": [horizontal("x"), *base]},
    )
    assert [each["id"] for each in change["put"]] == ["a", "d"]
    assert change["gone"] == ["b"]
    assert none is True
    assert again == [horizontal("x"), horizontal("a", 2), horizontal("c"), horizontal("d")]
    assert [each["id"] for each in joined["put"]] == ["a", "b", "e"]
    assert joined["gone"] == ["d"]


def test_a_change_is_saved_and_soon_ones_are_one_request(blank: Page, server: Server) -> None:
    run(
        blank,
        BEGIN + "made.change([line('a')]); made.change([line('a'), line('b')]); await settled(() => !made.unsaved);",
    )
    assert server.rows == [horizontal("a"), horizontal("b")]
    assert server.asked == ["GET", "PUT"]


@pytest.mark.parametrize("fault", ["cut", "lost", (503, {}), (500, {}), (429, {})])
def test_what_could_not_be_saved_is_said_kept_and_tried_again(blank: Page, server: Server, fault: Any) -> None:
    server.fails = [None, fault]
    said = run(
        blank,
        BEGIN
        + """made.change([line("a")]); await settled(() => made.words);
        const said = made.words, stored = drafts ? new drafts.Drafts("ada").get("A^B") : null, there = ids();
        await settled(() => !made.unsaved);
        return [said, stored.mine.length, there, made.words, made.past.length, new drafts.Drafts("ada").get("A^B")];""",
    )
    assert said == ["Your drawings on A^B could not be saved; they are kept here and tried again.", 1, "a", "", 1, None]
    assert server.rows == [horizontal("a")]
    assert server.version == 1


def test_the_second_of_two_tabs_sees_the_first_ones_and_is_offered_its_own_again(blank: Page, server: Server) -> None:
    server.put(horizontal("a"))
    before = run(
        blank,
        BEGIN
        + """window.made = made;
        window.changed = () => made.change([line("a", 5), line("mine")]);
        return ids();""",
    )
    assert before == "a"
    server.put(horizontal("a", 7), horizontal("theirs"))
    said, shown, undo = run(
        blank,
        "window.changed(); await settled(() => window.made.offer);"
        " return [window.made.words, window.made.drawings, window.made.past.length];",
    )
    assert said == "The drawings on A^B were changed elsewhere meanwhile; those are shown, without your last change."
    assert shown == server.rows == [horizontal("a", 7), horizontal("theirs")]
    assert undo == 0
    assert server.version == 2
    run(blank, "window.made.restore(); await settled(() => !window.made.unsaved && !window.made.busy);")
    assert server.rows == [horizontal("a", 5), horizontal("theirs"), horizontal("mine")]
    assert run(blank, "return [window.made.words, window.made.offer];") == ["", None]
    # It is one step back to the other's.
    run(blank, "window.made.step(-1); await settled(() => !window.made.unsaved && !window.made.busy);")
    assert server.rows == [horizontal("a", 7), horizontal("theirs")]


def test_ones_own_save_whose_answer_was_lost_is_no_other_tabs(blank: Page, server: Server) -> None:
    server.fails = [None, "lost"]
    words = run(
        blank,
        BEGIN
        + """made.change([line("a")]); await settled(() => made.words);
        made.change([line("a"), line("b")]); await settled(() => !made.unsaved && !made.busy);
        return [made.words, made.offer, ids()];""",
    )
    assert words == ["", None, "ab"]
    assert server.rows == [horizontal("a"), horizontal("b")]


def test_a_refusal_is_said_in_the_servers_sentence_and_not_repeated_until_something_changes(
    blank: Page, server: Server
) -> None:
    server.fails = [None, (422, {"detail": "drawings[0].text is too long"})]
    said = run(
        blank,
        BEGIN
        + """made.change([line("a")]); await settled(() => made.words); const said = made.words;
        await new Promise((done) => setTimeout(done, 1200));
        made.step(-1); made.change([line("b")]); await settled(() => !made.unsaved && !made.busy);
        return [said, made.words];""",
    )
    assert said == ["Not saved: drawings[0].text is too long. It is tried again with your next change.", ""]
    assert server.asked == ["GET", "PUT", "PUT"]
    assert server.rows == [horizontal("b")]


def test_drawings_of_a_newer_version_are_left_alone(blank: Page, server: Server) -> None:
    server.fails = [(409, {"detail": "the drawings on A^B are of format 2, which a newer version has made"})]
    found = run(blank, BEGIN + "return [made.change([line('a')]), made.words, ids()];")
    assert found == [False, "The drawings on A^B are of format 2, which a newer version has made.", ""]
    assert server.asked == ["GET"]


def test_what_is_drawn_before_the_server_has_answered_joins_what_it_has(blank: Page, server: Server) -> None:
    server.put(horizontal("theirs"))
    server.fails = ["cut"]
    found = run(
        blank,
        BEGIN
        + """const said = made.words; made.change([line("mine")]); const early = ids();
        await settled(() => made.loaded && !made.unsaved && !made.busy);
        return [said, early, ids(), made.offer, made.words];""",
    )
    said, early, shown, offer, words = found
    assert said == "The drawings on A^B could not be loaded; they are asked for again."
    assert (early, shown, offer, words) == ("mine", "theirsmine", None, "")
    assert server.rows == [horizontal("theirs"), horizontal("mine")]


def test_the_limits_are_told_before_the_server_has_to(blank: Page, server: Server) -> None:
    many, large = run(
        blank,
        BEGIN
        + """const full = Array.from({ length: kinds.MOST }, (_, at) => line(`n${at}`));
        const ok = made.change(full); const more = made.change([...full, line("over")]);
        const many = [ok, more, made.words];
        const long = full.map((each) => ({ ...each, kind: "text", text: "€".repeat(kinds.MOST_TEXT) }));
        const grown = made.change(long); const said = made.words;
        const fewer = made.change(full.slice(1));
        return [many, [grown, said, fewer]];""",
    )
    assert many == [True, False, "200 drawings on A^B are the most there can be; delete one first."]
    assert large[0] is True, f"as many and as long as there may be fit into a body: {large[1]}"
    assert large[2] is True


def test_a_draft_comes_back_after_a_reload_to_who_has_made_it_and_to_nobody_else(blank: Page, server: Server) -> None:
    server.fails = [None, "cut", "cut", "cut"]
    run(blank, BEGIN + "made.change([line('a')]); await settled(() => made.words);")
    blank.reload()
    server.fails = []
    other = run(
        blank,
        BEGIN.replace("ada", "ben") + "return made.drawings;",
    )
    assert other == []
    assert server.rows == []
    run(blank, BEGIN + "await settled(() => !made.unsaved && !made.busy);")
    assert server.rows == [horizontal("a")]


def test_without_storage_everything_goes_on(blank: Page, server: Server) -> None:
    server.fails = [None, "cut"]
    found = run(
        blank,
        """Object.defineProperty(window, "sessionStorage", { get() { throw new DOMException("no"); } });"""
        + BEGIN
        + """made.change([line("a")]); await settled(() => made.words); await settled(() => !made.unsaved);
        return ids();""",
    )
    assert found == "a"
    assert server.rows == [horizontal("a")]
