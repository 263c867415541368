// @ts-check
// The one module that Dash puts on the page: it brings in the others, each once.
import "./page/start.mjs";
