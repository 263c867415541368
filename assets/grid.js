// What the watchlist's grid calls by name (dash-ag-grid reads such names from these two objects; strings with code
// would need eval). Live cells are only places here: `watchlist.mjs` draws what is in them.
(function grid() {
  "use strict";
  /** `cells`: symbol to the cells of it that are in the page now; `drawn(cell, symbol)` is called for a new one. */
  const shared = (window.tickboardGrid = { groupsHidden: false, cells: new Map(), drawn: null });

  window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {
    searchText: (params) => [params.data.symbol, params.data.name, params.data.class].join(" "),
    nothing: () => "",
    isGroup: (params) => Boolean(params.rowNode.data && params.rowNode.data.group),
    groupsHidden: () => shared.groupsHidden,
    leaveGrid: () => false,
    isInstrument: (node) => !(node.data && node.data.group),
    heightOf: (params) => (params.data && params.data.group ? 24 : 28) - (document.documentElement.dataset.density === "compact" ? 5 : 0),
  });

  function Live(props) {
    const { useLayoutEffect, useRef, createElement } = window.React;
    const place = useRef(null);
    const symbol = props.data.symbol;
    useLayoutEffect(() => {
      const cell = { node: place.current, column: props.column.getColId(), shown: "", tone: "" };
      const all = shared.cells.get(symbol) || new Set();
      shared.cells.set(symbol, all.add(cell));
      if (shared.drawn) shared.drawn(cell, symbol);
      return () => {
        all.delete(cell);
        if (!all.size) shared.cells.delete(symbol);
      };
    }, [symbol]);
    return createElement("span", { ref: place, className: "live" });
  }

  window.dashAgGridComponentFunctions = Object.assign(window.dashAgGridComponentFunctions || {}, {
    GroupRow: (props) => window.React.createElement("div", { className: "group-row" }, props.data.group),
    Live,
  });
})();
