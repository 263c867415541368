// @ts-check
// The dialog of saved views: save, open, overwrite, rename, delete, the one that the page opens with; link, token and file.

import { address } from "../live/address.mjs";
import { copy } from "./copying.mjs";
import { element, make, write } from "./dom.mjs";
import { preferences } from "./preferences.mjs";
import { toast } from "./toasts.mjs";
import { addressOf } from "./viewpages.mjs";
import { ViewShelf } from "./viewshelf.mjs";
import { queryOf, summary } from "./viewtext.mjs";
import * as words from "./words.mjs";

/** A second press that says yes comes within this time, ms. */
const SURE_MS = 4_000;

/**
 * @param {{view: any, opened: any, registry: import("../indicators/choice.mjs").Registry}} page `opened`: the view that the page
 *   has opened with
 * @returns {Promise<{open: () => void, shelf: ViewShelf}>}
 */
export async function savedViews({ view, opened, registry }) {
  const shelf = new ViewShelf(view);
  if (opened?.view) shelf.opened = { id: opened.id, name: opened.name, version: opened.version, query: opened.view.settings?.page ? queryOf(opened.view) : view.query() };
  address.instead = (names, asked, shown) => shelf.instead(names, asked, shown);
  const button = await element("#views-button");
  const beside = await element("#compare-views");

  const name = make("input", { id: "view-name", class: "field", maxlength: 80, placeholder: "Name", "aria-label": "Name of the view", autocomplete: "off" });
  const saving = make("form", { class: "views-line" }, [name, make("button", { type: "submit", class: "button primary", text: "Save this view" })]);
  const message = make("p", { class: "dialog-message", role: "alert" });
  const done = make("p", { class: "dialog-done", role: "status" });
  const list = make("ul", { class: "views-list", "aria-label": "Saved views" });
  const link = make("button", { type: "button", class: "button", text: "Copy link" });
  const token = make("button", { type: "button", class: "button", text: "Copy token" });
  const byHand = make("input", { class: "field", readonly: true, hidden: true, "aria-label": "Text to copy" });
  const pasted = make("input", { id: "view-token", class: "field", placeholder: "Token or link", "aria-label": "Token or link of a view", autocomplete: "off", spellcheck: "false" });
  const picked = make("input", { id: "view-file", type: "file", accept: ".json,application/json", hidden: true, "aria-label": "File of a view" });
  const load = make("button", { type: "button", class: "button", text: "Load a file…", title: "A configuration that the export menu has saved" });
  const pasting = make("form", { class: "views-line" }, [pasted, make("button", { type: "submit", class: "button", text: "Open it" }), load, picked]);
  const close = make("button", { type: "button", class: "button", text: "Close" });
  const dialog = /** @type {HTMLDialogElement} */ (
    make("dialog", { id: "views-dialog", class: "dialog wide", "aria-labelledby": "views-title" }, [
      make("h2", { id: "views-title", text: "Views" }),
      saving,
      message,
      done,
      list,
      make("div", { class: "views-line" }, [link, token, byHand]),
      pasting,
      make("div", { class: "dialog-end" }, [close]),
    ])
  );
  document.body.append(dialog);

  let acting = false;
  let turn = 0;
  /**
   * Do what a button asks for; say what came of it. While something is done another press does nothing.
   * @param {() => Promise<string | void>} act
   * @param {{aside?: boolean}} [how] `aside`: what nobody waits for, which may come later than what is done meanwhile
   */
  const run = async (act, { aside = false } = {}) => {
    if (acting) return;
    acting = !aside;
    const mine = ++turn;
    write(message, "");
    write(done, "");
    dialog.setAttribute("aria-busy", "true");
    try {
      const said = (await act()) ?? "";
      if (mine === turn) write(done, said);
    } catch (refused) {
      write(message, /** @type {Error} */ (refused).message);
    }
    if (mine === turn) dialog.removeAttribute("aria-busy");
    if (!aside) acting = false;
    // A new name that is being typed stays, and what asks whether it is meant.
    if (!aside || !list.querySelector("form, [data-sure=true]")) paint();
  };

  /** @param {import("./viewshelf.mjs").Row} row */
  const line = (row) => {
    const isOpen = shelf.opened?.id === row.id;
    const isDefault = preferences.shown.default_view === row.id;
    const facts = row.refused ?? [summary(/** @type {any} */ (row.view)), `kept ${words.moment(row.changed)}`].join(" · ");
    const told = shelf.outrun(row) ? "changed elsewhere since you opened it" : isOpen ? (shelf.changed ? "open, changed since" : "open") : "";
    const show = make("button", { type: "button", class: "view-open", disabled: Boolean(row.refused), title: row.refused ? "" : "Show this view" }, [
      make("b", { text: row.name }),
      make("span", { class: "view-told", text: told }),
      make("span", { class: row.refused ? "view-facts wrong" : "view-facts", text: facts }),
    ]);
    show.addEventListener("click", () => {
      shelf.open(row);
      dialog.close();
    });
    const act = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ does, given = {}) => {
      const made = make("button", { type: "button", class: "button", text, title, "aria-label": `${text}: ${row.name}`, ...given });
      made.addEventListener("click", does);
      return made;
    };
    const item = make("li", { class: "view-row", "data-id": row.id, "aria-current": isOpen ? "true" : null });
    const first = act("Default", "The page opens with this view", () => run(async () => {
      await preferences.change({ default_view: isDefault ? null : row.id });
      return isDefault ? "The page opens as usual." : `The page opens with "${row.name}", at the next login too.`;
    }), { "aria-pressed": String(isDefault) });
    const remove = act("Delete", "Delete this view", () => {
      if (remove.dataset.sure !== "true") {
        remove.dataset.sure = "true";
        write(remove, "Really?");
        remove.setAttribute("aria-label", `Really delete ${row.name}?`);
        setTimeout(() => {
          remove.dataset.sure = "false";
          write(remove, "Delete");
          remove.setAttribute("aria-label", `Delete: ${row.name}`);
        }, SURE_MS);
        return;
      }
      void run(async () => {
        await shelf.remove(row);
        if (isDefault) await preferences.change({ default_view: null });
        return `"${row.name}" is deleted.`;
      });
    });
    const actions = row.refused
      ? [remove]
      : [
          first,
          act("Overwrite", "Put what is shown now in its place", () => run(async () => {
            await shelf.overwrite(row);
            return `"${row.name}" is now what the page shows.`;
          })),
          act("Rename", "Give it another name", () => rename(item, row)),
          remove,
        ];
    item.append(show, make("div", { class: "view-acts" }, actions));
    return item;
  };

  /** @param {HTMLElement} item @param {import("./viewshelf.mjs").Row} row */
  const rename = (item, row) => {
    const field = make("input", { class: "field", maxlength: 80, value: row.name, "aria-label": `New name of ${row.name}`, autocomplete: "off" });
    const cancel = make("button", { type: "button", class: "button", text: "Cancel" });
    const form = make("form", { class: "views-line" }, [field, make("button", { type: "submit", class: "button primary", text: "Rename" }), cancel]);
    cancel.addEventListener("click", paint);
    field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Escape") return;
      event.preventDefault(); // it closes the form, not the dialog
      paint();
    });
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      void run(async () => {
        await shelf.rename(row, field.value);
        return `"${row.name}" is called "${field.value.trim()}" now.`;
      });
    });
    item.replaceChildren(form);
    field.focus();
    field.select();
  };

  const paint = () => {
    button.dataset.open = shelf.opened ? "true" : "false";
    button.title = shelf.opened ? `Saved views (V): ${shelf.opened.name}` : "Saved views (V)";
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const at = focused?.closest(".view-row");
    const which = at ? [...at.querySelectorAll("button")].indexOf(/** @type {any} */ (focused)) : -1;
    list.replaceChildren(...shelf.rows.map(line));
    if (!shelf.rows.length) list.append(make("li", { class: "muted", text: "No views yet: give what is shown a name." }));
    if (at) {
      const again = list.querySelector(`[data-id="${/** @type {HTMLElement} */ (at).dataset.id}"]`);
      /** @type {HTMLElement} */ (again?.querySelectorAll("button")[Math.max(which, 0)] ?? name).focus();
    }
  };

  const open = () => {
    if (dialog.open) return;
    byHand.hidden = true;
    paint();
    dialog.showModal();
    void run(() => shelf.list(), { aside: true });
  };
  saving.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    void run(async () => {
      await shelf.save(name.value);
      const kept = shelf.opened?.name;
      name.value = "";
      return `"${kept}" is kept.`;
    });
  });
  link.addEventListener("click", () => run(async () => {
    const text = `${location.origin}${addressOf(view.query())}`;
    return (await copy(text, byHand)) ? "The link is in the clipboard." : "Copy the link from the field.";
  }));
  token.addEventListener("click", () => run(async () => {
    const text = await shelf.token();
    return (await copy(text, byHand)) ? "The token is in the clipboard." : "Copy the token from the field.";
  }));
  pasting.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    void run(async () => {
      await shelf.restore(pasted.value);
      pasted.value = "";
      dialog.close();
    });
  });
  load.addEventListener("click", () => picked.click());
  picked.addEventListener("change", () => {
    const [file] = picked.files;
    if (!file) return;
    void run(async () => {
      // The same file again, mended meanwhile, is another choice.
      const left = await shelf.load(file, registry).finally(() => (picked.value = ""));
      dialog.close();
      if (left.length) void toast(left.length > 1 ? `${left.length} indicators of the file are left out` : "An indicator of the file is left out", left.slice(0, 3).join(" "));
    });
  });
  close.addEventListener("click", () => dialog.close());
  button.addEventListener("click", open);
  beside.addEventListener("click", open);
  paint();
  return { open, shelf };
}
