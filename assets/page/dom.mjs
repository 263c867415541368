// @ts-check
// Small helpers for the page's own elements: wait for one, make one, write only what differs, open and close menus.

/**
 * The element of a selector, as soon as Dash has drawn it.
 * @param {string} selector @returns {Promise<HTMLElement>}
 */
export function element(selector) {
  const found = /** @type {HTMLElement | null} */ (document.querySelector(selector));
  if (found) return Promise.resolve(found);
  return new Promise((resolve) => {
    const watcher = new MutationObserver(() => {
      const now = /** @type {HTMLElement | null} */ (document.querySelector(selector));
      if (!now) return;
      watcher.disconnect();
      resolve(now);
    });
    watcher.observe(document.documentElement, { childList: true, subtree: true });
  });
}

/**
 * An element with attributes and children; `class`, `text` and anything else as an attribute.
 * @param {string} tag @param {Record<string, string | number | boolean | null | undefined>} [given]
 * @param {(Node | string)[]} [children]
 * @returns {any}
 */
export function make(tag, given = {}, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value == null || value === false) continue;
    if (name === "text") made.textContent = String(value);
    else if (name === "class") made.className = String(value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/**
 * Write a text only where it differs: an equal write still costs a layout. Into the text node that is there, for a new
 * one is a new box. @param {Element} node @param {string} text
 */
export function write(node, text) {
  const only = node.firstChild;
  if (only instanceof Text && only === node.lastChild && text !== "") {
    if (only.data !== text) only.data = text;
  } else if (node.textContent !== text) node.textContent = text;
}

/**
 * A line through values, newest last, in a box of width x height.
 * @param {ArrayLike<number>} values @param {number} width @param {number} height
 */
export function linePoints(values, width, height) {
  const count = values.length;
  if (count < 2) return "";
  let low = Infinity;
  let high = -Infinity;
  for (let at = 0; at < count; at++) {
    low = Math.min(low, values[at]);
    high = Math.max(high, values[at]);
  }
  const span = high - low || 1;
  const points = new Array(count);
  for (let at = 0; at < count; at++) {
    const x = (at * width) / (count - 1);
    const y = high === low ? height / 2 : height - 2 - ((values[at] - low) / span) * (height - 4);
    points[at] = `${x.toFixed(1)},${y.toFixed(1)}`;
  }
  return points.join(" ");
}

/**
 * An SVG with one line. @param {number} width @param {number} height @returns {SVGSVGElement}
 */
export function lineBox(width, height) {
  const space = "http://www.w3.org/2000/svg";
  const box = /** @type {SVGSVGElement} */ (document.createElementNS(space, "svg"));
  box.setAttribute("viewBox", `0 0 ${width} ${height}`);
  box.setAttribute("width", "100%");
  box.setAttribute("height", "100%");
  box.setAttribute("preserveAspectRatio", "none");
  box.append(document.createElementNS(space, "polyline"));
  return box;
}

/** An icon of the page's own set. @param {"sun" | "moon" | "close" | "pause" | "play" | "tune"} name @returns {SVGSVGElement} */
export function icon(name) {
  const paths = {
    sun: "M8 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6M8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1",
    moon: "M13 9.500A5.500 5.500 0 1 1 6.500 3a4.500 4.500 0 0 0 6.500 6.500z",
    close: "M4 4l8 8M12 4l-8 8",
    pause: "M6 4v8M10 4v8",
    play: "M5 3.500l7 4.500l-7 4.500z",
    tune: "M1.500 5h7M12.500 5h2M10.500 3a2 2 0 1 0 0 4a2 2 0 0 0 0-4M1.500 11h2M7.500 11h7M5.500 9a2 2 0 1 0 0 4a2 2 0 0 0 0-4",
  };
  const space = "http://www.w3.org/2000/svg";
  const box = /** @type {SVGSVGElement} */ (document.createElementNS(space, "svg"));
  box.setAttribute("viewBox", "0 0 16 16");
  box.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", paths[name]);
  box.append(path);
  return box;
}

/**
 * A menu that a button opens: closed by Esc, by a click elsewhere, by leaving it with Tab.
 * @param {HTMLElement} button @param {HTMLElement} menu @param {() => void} [opened]
 * @returns {{open: () => void, close: () => void, toggle: () => void}}
 */
export function menuOf(button, menu, opened) {
  const close = () => {
    menu.hidden = true;
    button.setAttribute("aria-expanded", "false");
  };
  const open = () => {
    menu.hidden = false;
    button.setAttribute("aria-expanded", "true");
    opened?.();
    const parts = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll("button, a, input")]);
    parts.find((part) => part.checkVisibility())?.focus(); // some are there on narrow screens only
  };
  const toggle = () => (menu.hidden ? open() : close());
  button.addEventListener("click", toggle);
  document.addEventListener("pointerdown", (event) => {
    const target = /** @type {Node} */ (event.target);
    if (!menu.hidden && !menu.contains(target) && !button.contains(target)) close();
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
      button.focus();
    }
  });
  for (const part of [menu, button]) {
    part.addEventListener("focusout", (event) => {
      const next = /** @type {Node | null} */ (event.relatedTarget);
      if (!menu.hidden && next && !menu.contains(next) && !button.contains(next)) close();
    });
  }
  return { open, close, toggle };
}

/**
 * Run Dash's own property setter. Every id that is given here is in the layout from the start, most as a store, which has
 * no element. @param {string} id @param {Record<string, unknown>} props
 */
export function setProps(id, props) {
  window["dash_clientside"]?.set_props?.(id, props);
}
