// @ts-check
// The bars in view as a table, for who reads rather than looks: a dialog that a button behind the chart, its menu and the
// key B open.

import { make, write } from "../page/dom.mjs";
import * as words from "../page/words.mjs";
import { now } from "../page/zone.mjs";
import { barsTable } from "./spoken.mjs";

/** @param {import("./chart.mjs").Chart} chart */
export function barTable(chart) {
  const button = make("button", { type: "button", class: "button bars-button", id: "bars-button", title: "The bars in view as a table (B)", "aria-haspopup": "dialog", text: "Bars as a table" });
  const made = make("table", { class: "bars" });
  const note = make("p", { class: "muted" });
  const stamp = make("span", { class: "faint grow", role: "status" });
  const again = make("button", { type: "button", class: "button", text: "Read again" });
  const close = make("button", { type: "button", class: "button primary", text: "Close" });
  const scroller = make("div", { class: "bars-scroller", tabindex: "0", role: "region", "aria-label": "Bars in view" }, [made]);
  const dialog = /** @type {HTMLDialogElement} */ (
    make("dialog", { id: "bars-dialog", class: "dialog bars-dialog", "aria-labelledby": "bars-title" }, [
      make("h2", { id: "bars-title", text: "Bars in view" }),
      note,
      scroller,
      make("div", { class: "dialog-end" }, [stamp, again, close]),
    ])
  );
  document.body.append(dialog);
  chart.place.parentElement?.append(button);

  const fill = () => {
    const { caption, note: more, columns, rows } = barsTable(chart.plot);
    write(note, rows.length ? more : "There is no bar in view.");
    note.hidden = !note.textContent;
    const number = (/** @type {number} */ at) => (at === 0 || at === columns.length - 1 ? null : "num");
    made.replaceChildren(
      make("caption", { text: caption }),
      make("thead", {}, [make("tr", {}, columns.map((text, at) => make("th", { scope: "col", class: number(at), text })))]),
      make("tbody", {}, rows.map(([time, ...cells]) => make("tr", {}, [make("th", { scope: "row", text: time }), ...cells.map((text, at) => make("td", { class: number(at + 1), text }))]))),
    );
    write(stamp, `Read at ${words.time(now())}`);
  };
  const open = () => {
    if (dialog.open || !chart.plot.figure) return;
    fill();
    dialog.showModal();
    // Where one reads on from; the browser gives the focus back to where it was.
    scroller.scrollTop = 0;
    scroller.focus();
  };
  button.addEventListener("click", open);
  again.addEventListener("click", fill);
  close.addEventListener("click", () => dialog.close());
  document.addEventListener("tickboard:bars", open);
  return { open };
}
