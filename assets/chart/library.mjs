// @ts-check
// plotly.js, loaded once it is needed.

/** Between two tries to load plotly.js. */
const AGAIN_MS = 3_000;

/**
 * Plotly, as soon as its script has come; tried again for as long as it takes.
 * @param {(sentence: string) => void} say what stands in the way, empty when nothing does any more
 * @returns {Promise<any>}
 */
export async function plotly(say) {
  const source = /** @type {HTMLLinkElement} */ (document.getElementById("plotly-source")).href;
  while (!window["Plotly"]) {
    const came = await new Promise((resolve) => {
      const script = document.createElement("script");
      script.onload = () => resolve(true);
      script.onerror = () => resolve(false);
      script.src = source;
      document.head.append(script);
    });
    if (!came) {
      say("The chart's library could not be loaded; trying again.");
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
  say("");
  return window["Plotly"];
}
