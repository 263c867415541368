// Runs in the head, before anything is drawn: on the pages of the login the theme that this browser showed last (who has
// come to the dashboard is known: its first line has the theme and the other looks from the server), and the way to the
// login page when the login has ended (Dash says nothing of a 401).
(function early() {
  "use strict";
  let last = null;
  try {
    if (!["/", "/market", "/compare"].includes(location.pathname)) last = localStorage.getItem("tickboard.theme");
  } catch (_refused) {
    last = null; // storage can be forbidden; the system's theme is shown then
  }
  if (last === "light" || last === "dark") document.documentElement.dataset.theme = last;

  const plain = window.fetch;
  window.fetch = async function fetchOrLogIn(...given) {
    const answer = await plain.apply(this, given);
    if (answer.status === 401) {
      location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    }
    return answer;
  };
})();
