// @ts-check
// The alerts panel: the form, the list with state, distance to the level and age of the price, and the toasts.

import { sentence } from "./documents.mjs";
import { element, icon, make, setProps, write } from "./dom.mjs";
import { onUnanswered, PanelState } from "./panelstate.mjs";
import { toast } from "./toasts.mjs";
import * as words from "./words.mjs";

/** From this distance on the bar under a rule is empty; at the level it is full. */
const FAR_PERCENT = 5;
const MOST_EVENTS = 5;
/** The list is asked for again so often: another browser of the user may have changed it. */
const AGAIN_MS = 30_000;
/** An answer that has not come by then is said to be late, and waited for no longer. */
const ANSWER_MS = 15_000;

/** @typedef {{id: number, symbol: string, kind: string, direction: "above" | "below", level: number, enabled: boolean,
 *   state: string, last_fired: number | null}} Rule */

/**
 * Whether a price has reached a rule's level. @param {Pick<Rule, "direction" | "level">} rule @param {number} price
 */
export function reached(rule, price) {
  return rule.direction === "above" ? price >= rule.level : price <= rule.level;
}

/**
 * A rule's state as its newest price has it: off, armed, waiting (for the other side) or fired.
 * @param {Rule} rule @param {number | null | undefined} price
 */
export function stateOf(rule, price) {
  if (!rule.enabled) return "off";
  if (price != null && !reached(rule, price)) rule.state = "armed";
  return rule.state;
}

/** What stands beside the state. @param {Rule} rule @param {string} state @param {any} quote */
export function factsOf(rule, state, quote) {
  if (!quote) return `${rule.symbol} is not in this market`;
  const facts = [];
  if (quote?.price != null) {
    const away = (Math.abs(quote.price - rule.level) / quote.price) * 100;
    facts.push(`${away.toFixed(away < 10 ? 2 : 0)} % away`);
  }
  if (quote?.stale) facts.push(quote.age_ms == null ? "no tick yet" : `no tick for ${words.age(quote.age_ms)}`);
  else if (quote?.age_ms != null) facts.push(`price ${words.age(quote.age_ms)} old`);
  if (state === "waiting") facts.push(`past the level: waits for the price to come back ${rule.direction === "above" ? "below" : "above"}`);
  if (rule.last_fired) facts.push(`fired ${words.moment(rule.last_fired)}`);
  return facts.join(" · ");
}

/** @param {{market: any, view: any, show: (view: string) => void, paint: any}} page */
export async function alerts({ market, view, show, paint: first }) {
  const form = /** @type {HTMLFormElement} */ (await element("#alert-form"));
  const list = await element("#alerts-list");
  const panel = new PanelState(() => again());
  form.after(panel.node);
  const counted = await element("#alerts-count");
  const fresh = await element("#alert-new");
  const firedHead = await element("#alerts-fired-head");
  const fired = await element("#alerts-fired");
  /** @type {Rule[]} */
  let rules = [];
  /** @type {Map<number, {node: HTMLElement, state: HTMLElement, facts: HTMLElement, bar: HTMLElement}>} */
  const lines = new Map();
  let number = 0;
  let late = 0;
  /** Whether a command has failed that can be given again: whatever comes of the list meanwhile, that stays said. */
  let owed = false;
  /** The command that is under way, and those after it: Dash would throw the answer to an earlier one away. */
  let under = /** @type {Record<string, unknown> | null} */ (null);
  /** @type {Record<string, unknown>[]} */
  const queue = [];

  const decimalsOf = (/** @type {string} */ symbol) =>
    market.instruments?.find((/** @type {any} */ one) => one.symbol === symbol)?.decimals ?? 2;
  const ask = (/** @type {Record<string, unknown>} */ command) => {
    const listed = command.op === "list" && queue.some((one) => one.op === "list");
    if (!listed) queue.push(command);
    next();
  };
  const next = () => {
    if (under || !queue.length) return;
    under = /** @type {Record<string, unknown>} */ (queue.shift());
    number += 1;
    panel.wait();
    const open = under.op === "list" ? "the list may be out of date" : "whether that was done, the list says once it is read again";
    late = window.setTimeout(() => lost(`The server has not answered; ${open}.`), ANSWER_MS);
    setProps("alert-command", { data: { ...under, number } });
  };
  /** No answer to the command comes; to try again is to give it again, a new rule's in its form. @param {string} why */
  const lost = (why) => {
    const command = under ?? { op: "list" };
    done();
    if (command.op === "create" && !form.hidden) {
      write(wrong, why);
      return;
    }
    if (command.op === "list" && owed) return;
    owed = command.op !== "list";
    const settle = () => {
      owed = false;
    };
    panel.fail(why, {
      retry: () => {
        settle();
        ask(command);
      },
      // Only what a list read again can't mend by itself is put aside by hand.
      ...(owed && {
        dismiss: () => {
          settle();
          panel.done();
        },
      }),
    });
  };
  onUnanswered("alerts", (why, of) => of === number && under && lost(`The alerts could not be ${under.op === "list" ? "read" : "changed"}: ${why}.`));
  const done = () => {
    clearTimeout(late);
    panel.rest();
    if (under?.op === "create") save.disabled = false;
    under = null;
    next();
  };

  // -- the form ----------------------------------------------------------------------------------------------------
  const title = make("b", { class: "wide" });
  const direction = make("select", { name: "direction", class: "select" }, [
    make("option", { value: "above", text: "rises to or above" }),
    make("option", { value: "below", text: "falls to or below" }),
  ]);
  const level = make("input", { name: "level", class: "field", inputmode: "decimal", autocomplete: "off", required: true });
  const hint = make("p", { class: "hint wide" });
  const wrong = make("p", { class: "wrong wide", role: "alert" });
  const save = make("button", { type: "submit", class: "button primary", text: "Save alert" });
  const cancel = make("button", { type: "button", class: "button", text: "Cancel" });
  form.setAttribute("aria-label", "New alert");
  form.noValidate = true;
  form.replaceChildren(
    title,
    make("label", {}, ["Price", direction]),
    make("label", {}, ["Level", level]),
    hint,
    wrong,
    make("div", { class: "actions wide" }, [cancel, save]),
  );
  let symbol = view.symbol;
  const value = () => Number(level.value.trim());
  const explain = () => {
    const price = market.get(symbol)?.price;
    const rule = { direction: direction.value, level: value() };
    const past = price != null && rule.level > 0 && reached(rule, price);
    write(hint, past ? `The price is there already: the alert first waits for the other side.` : "It fires once each time the price crosses.");
  };
  const changed = () => {
    write(wrong, "");
    explain();
  };
  /** What had the focus before the form. @type {HTMLElement | null} */
  let came = null;
  const close = () => {
    const back = form.contains(document.activeElement);
    form.hidden = true;
    if (back) (came?.isConnected && came.checkVisibility() ? came : fresh).focus({ preventScroll: true });
  };
  const open = (/** @type {string} */ of, /** @type {number | null} */ price) => {
    symbol = of;
    const now = market.get(symbol)?.price ?? null;
    const at = price ?? now;
    write(title, `Alert on ${symbol}`);
    level.value = at == null ? "" : at.toFixed(decimalsOf(symbol));
    direction.value = price != null && now != null && price < now ? "below" : "above";
    const focused = /** @type {HTMLElement} */ (document.activeElement);
    if (focused !== document.body && !form.contains(focused)) came = focused;
    form.hidden = false;
    changed();
    show("side");
    level.focus();
    level.select();
  };
  direction.addEventListener("change", changed);
  level.addEventListener("input", changed);
  cancel.addEventListener("click", close);
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (save.disabled) return;
    if (!level.value.trim()) {
      write(wrong, "Give the level, a price over 0.");
      level.focus();
      return;
    }
    save.disabled = true;
    // As typed: the server says what it accepts, and nothing is guessed here.
    ask({ op: "create", symbol, direction: direction.value, level: level.value.trim() });
  });
  const openHere = () => open(view.symbol, null);
  fresh.addEventListener("click", openHere);
  (await element("#alert-button")).addEventListener("click", openHere);
  document.addEventListener("tickboard:alert-at", (event) => {
    const { symbol: of, price } = /** @type {CustomEvent} */ (event).detail;
    open(of ?? view.symbol, price ?? null);
  });

  // -- the list ----------------------------------------------------------------------------------------------------
  const line = (/** @type {Rule} */ rule) => {
    const says = `${rule.symbol} ${rule.direction} ${words.price(rule.level, decimalsOf(rule.symbol))}`;
    const state = make("span", { class: "state" });
    const facts = make("span", { class: "facts" });
    const bar = make("i");
    const turn = make("button", { type: "button", class: "icon-button", "aria-label": `${rule.enabled ? "Switch off" : "Switch on"}: ${says}`, title: rule.enabled ? "Switch off" : "Switch on" }, [
      icon(rule.enabled ? "pause" : "play"),
    ]);
    const remove = make("button", { type: "button", class: "icon-button", "aria-label": `Delete: ${says}`, title: "Delete" }, [icon("close")]);
    turn.addEventListener("click", () => ask({ op: rule.enabled ? "disable" : "enable", id: rule.id }));
    remove.addEventListener("click", () => ask({ op: "delete", id: rule.id }));
    const node = make("li", { class: "alert", "data-id": rule.id, "data-symbol": rule.symbol }, [
      make("span", { class: "rule", text: says, title: says }),
      state,
      facts,
      make("span", { class: "buttons" }, [turn, remove]),
      make("span", { class: "nearness", "aria-hidden": "true" }, [bar]),
    ]);
    lines.set(rule.id, { node, state, facts, bar });
    return node;
  };
  const paintRule = (/** @type {Rule} */ rule) => {
    const parts = lines.get(rule.id);
    if (!parts) return;
    const quote = market.get(rule.symbol);
    const state = stateOf(rule, quote?.price);
    const wanted = `alert ${state}`;
    if (parts.node.className !== wanted) parts.node.className = wanted;
    write(parts.state, state);
    write(parts.facts, factsOf(rule, state, quote));
    const away = quote?.price == null ? FAR_PERCENT : (Math.abs(quote.price - rule.level) / quote.price) * 100;
    const near = state === "fired" ? 100 : state === "off" ? 0 : Math.max(0, 100 - (away / FAR_PERCENT) * 100);
    parts.bar.style.width = `${near.toFixed(1)}%`;
  };
  const rebuild = () => {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const where = focused?.closest("li.alert");
    const button = where ? [...where.querySelectorAll("button")].indexOf(/** @type {HTMLButtonElement} */ (focused)) : -1;
    lines.clear();
    list.replaceChildren(...rules.map(line));
    if (where) {
      const again = lines.get(Number(/** @type {HTMLElement} */ (where).dataset.id))?.node.querySelectorAll("button")[button];
      (again ?? fresh).focus();
    }
    if (!rules.length && !panel.failed) {
      list.append(make("li", { class: "alerts-empty", text: "No alerts yet. Set one here, or with the right button on the chart at a price." }));
    }
    write(counted, rules.length ? String(rules.length) : "");
    rules.forEach(paintRule);
  };
  const paintEvents = (/** @type {any[]} */ events) => {
    const shown = events.slice(0, MOST_EVENTS).map((event) => {
      const decimals = decimalsOf(event.symbol);
      const level = words.price(event.level, decimals);
      return make("li", { title: `${event.symbol} ${event.direction} ${level}, at ${words.price(event.price, decimals)}` }, [
        make("span", { class: "muted", text: words.moment(event.ts) }),
        make("span", { class: "what", text: `${event.symbol} ${event.direction === "above" ? "≥" : "≤"} ${level}` }),
        make("span", { class: "num", text: words.price(event.price, decimals) }),
      ]);
    });
    fired.replaceChildren(...shown);
    firedHead.hidden = !shown.length;
  };
  const take = (/** @type {any} */ answer) => {
    if (!answer) return;
    if (answer.number != null && answer.number < number) return;
    if (answer.number != null) done();
    if (answer.op !== "list") owed = false;
    if (answer.error && answer.op === "create") {
      write(wrong, sentence(answer.error));
      panel.done();
    } else if (!owed) {
      // What was refused would be refused again.
      panel.fail(answer.error ? sentence(answer.error) : "", answer.error ? { retry: null, dismiss: () => panel.done() } : {});
      if (answer.op === "create") {
        close();
        fresh.focus();
      }
    }
    const before = JSON.stringify(rules);
    if (answer.rules) rules = answer.rules;
    if (JSON.stringify(rules) !== before || answer.op !== "list") rebuild();
    if (answer.events) paintEvents(answer.events);
    if (answer.op && answer.op !== "list" && !answer.error) others?.postMessage("changed");
  };
  document.addEventListener("tickboard:alerts", (event) => take(/** @type {CustomEvent} */ (event).detail));
  market.on("alert", (/** @type {any} */ event) => {
    const decimals = decimalsOf(event.symbol);
    void toast(
      `${event.symbol} ${event.direction} ${words.price(event.level, decimals)}`,
      `${words.price(event.price, decimals)} at ${words.time(event.ts)}`,
      "alert",
    );
    const rule = rules.find((one) => one.id === event.alert_id);
    ask({ op: "list" });
    if (!rule) return;
    rule.last_fired = event.ts;
    rule.state = "fired";
    paintRule(rule);
  });
  const others = "BroadcastChannel" in window ? new BroadcastChannel("tickboard.alerts") : null;
  const again = () => {
    if (!document.hidden) ask({ op: "list" });
  };
  others?.addEventListener("message", again);
  document.addEventListener("visibilitychange", again);
  document.addEventListener("tickboard:zone", again);
  let before = "";
  market.on("state", (/** @type {any} */ now) => {
    if (now.state === "live" && before !== "live") again();
    before = now.state;
  });
  setInterval(again, AGAIN_MS);
  take(first);
  return {
    openHere,
    /** @param {Set<string>} changed */
    paint(changed) {
      for (const rule of rules) if (changed.has(rule.symbol)) paintRule(rule);
    },
    tick() {
      rules.forEach(paintRule);
      if (!form.hidden) explain();
    },
  };
}
