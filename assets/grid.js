// What the watchlist's grid calls by name (dash-ag-grid reads such names from these two objects; strings with code
// would need eval). `words` is given by watchlist.mjs; until then the few lines here read a number alike.
(function grid() {
  "use strict";
  const shared = (window.tickboardGrid = { groupsHidden: false, words: null });
  const none = "–";
  const fixed = (value, decimals) =>
    value
      .toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
      .replace("-", "−");
  const decimals = (params) => (params.data && params.data.decimals) || 0;
  const has = (params) => params.value !== null && params.value !== undefined;

  window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {
    price: (params) => (has(params) ? fixed(params.value, decimals(params)) : none),
    percent: (params) => (has(params) ? (params.value < 0 ? "" : "+") + fixed(params.value, 2) : none),
    difference: (params) => (has(params) ? (params.value < 0 ? "" : "+") + fixed(params.value, decimals(params)) : none),
    short: (params) => (shared.words ? shared.words.short(params.value) : has(params) ? String(params.value) : none),
    searchText: (params) => [params.data.symbol, params.data.name, params.data.class].join(" "),
    isGroup: (params) => Boolean(params.rowNode.data && params.rowNode.data.group),
    groupsHidden: () => shared.groupsHidden,
    leaveGrid: () => false,
    isInstrument: (node) => !(node.data && node.data.group),
    heightOf: (params) => (params.data && params.data.group ? 24 : 28),
  });

  const points = (values, width, height) => {
    if (values.length < 2) return "";
    const low = Math.min(...values);
    const span = Math.max(...values) - low;
    const y = (value) => (span ? height - 2 - ((value - low) / span) * (height - 4) : height / 2);
    return values.map((value, at) => `${((at * width) / (values.length - 1)).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  };

  window.dashAgGridComponentFunctions = Object.assign(window.dashAgGridComponentFunctions || {}, {
    GroupRow: (props) => window.React.createElement("div", { className: "group-row" }, props.data.group),
    Trend: (props) => {
      const change = props.data.change || 0;
      return window.React.createElement(
        "svg",
        {
          className: change > 0 ? "up" : change < 0 ? "down" : "flat",
          width: 52,
          height: 16,
          viewBox: "0 0 52 16",
          "aria-hidden": true,
        },
        window.React.createElement("polyline", { points: points(props.value || [], 52, 16) }),
      );
    },
  });
})();
