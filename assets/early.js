// Runs in the head, before anything is drawn: on the pages of the login the theme that this browser showed last (who has
// come to the dashboard is known: its first line has the theme and the other looks from the server), the way to the login
// page when the login has ended, and news of callbacks that were not answered (Dash says nothing of either).
(function early() {
  "use strict";
  let last = null;
  try {
    if (!["/", "/market", "/compare"].includes(location.pathname)) last = localStorage.getItem("tickboard.theme");
  } catch (_refused) {
    last = null; // storage can be forbidden; the system's theme is shown then
  }
  if (last === "light" || last === "dark") document.documentElement.dataset.theme = last;

  /** Tell the panel that waits for a callback that no answer comes. */
  const tell = (body, why) => {
    const { output, inputs } = JSON.parse(body);
    const numbers = inputs.map(({ value }) => value?.number);
    const detail = { output: output.replace(/^\.\./, "").split(".")[0], why, numbers };
    document.dispatchEvent(new CustomEvent("tickboard:unanswered", { detail }));
  };
  const plain = window.fetch;
  window.fetch = async function fetchOrLogIn(...given) {
    const [address, { body } = {}] = given;
    const asked = typeof body === "string" && String(address).includes("_dash-update-component");
    let answer;
    try {
      answer = await plain.apply(this, given);
    } catch (error) {
      if (asked) tell(body, "the server could not be reached");
      throw error;
    }
    if (answer.status === 401) {
      location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    } else if (asked && !answer.ok) tell(body, `the server answered ${answer.status}`);
    return answer;
  };
})();
