// Runs in the head, before anything is drawn: the theme that was chosen, so that a reload does not flash, and the way
// to the login page when the login has ended (Dash says nothing of a 401).
(function early() {
  "use strict";
  let chosen = null;
  try {
    chosen = localStorage.getItem("tickboard.theme");
  } catch (_refused) {
    chosen = null; // storage can be forbidden; the system's theme is shown then
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;

  const plain = window.fetch;
  window.fetch = async function fetchOrLogIn(...given) {
    const answer = await plain.apply(this, given);
    if (answer.status === 401) {
      location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    }
    return answer;
  };
})();
