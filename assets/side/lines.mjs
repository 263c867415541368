// @ts-check
// Lists of a name, a value and, smaller, what is to be known about it.

import { make, write } from "../page/dom.mjs";

/** @typedef {{name: string, value: string, more: string}} Line */

/** Make `list` say `lines`: what is there already is written in place, and only where it differs. @param {HTMLElement} list @param {Line[]} lines */
export function say(list, lines) {
  const names = [...list.querySelectorAll("dt")].map((node) => node.textContent);
  if (names.length !== lines.length || lines.some(({ name }, at) => name !== names[at])) list.replaceChildren(...lines.map(made));
  lines.forEach(({ value, more }, at) => {
    const [first, second] = list.children[at].children[1].children;
    write(first, value);
    write(second, more);
  });
}

/** @param {Line} line */
function made({ name }) {
  return make("div", {}, [make("dt", { text: name }), make("dd", { class: "num" }, [make("span"), make("span", { class: "more" })])]);
}
