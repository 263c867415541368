// What the watchlist's grid calls by name (dash-ag-grid reads such names from these two objects; strings with code
// would need eval). Live cells are only places here: `watchlist.mjs` draws what is in them.
(function grid() {
  "use strict";
  /**
   * `cells`: symbol to the cells of it that are in the page now; `drawn(cell, symbol)` is called for a new one; `pinned`:
   * the symbols that have a card; `sectors`: of every symbol, for the filter.
   */
  const shared = (window.tickboardGrid = { groupsHidden: false, cells: new Map(), drawn: null, pinned: new Set(), sectors: new Map() });

  window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {
    searchText: ({ data, context }) => [data.symbol, data.name, data.class, context.groups[data.class], shared.sectors.get(data.symbol)].join(" "),
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

  // The symbol, a grip to drag an own list's row by, and a pin. Neither is a stop of Tab: keys do the same.
  function Symbol(props) {
    const { createElement } = window.React;
    const { symbol } = props.data;
    const path = createElement("path", { d: "M6 2h4l-.5 5L12 9H4l2.500-2zM8 9v5" });
    return createElement(
      window.React.Fragment,
      null,
      createElement("span", { className: "grip", "aria-hidden": "true" }),
      createElement("span", { className: "symbol" }, symbol),
      createElement(
        "button",
        {
          type: "button",
          className: "pin",
          tabIndex: -1,
          title: "Pin to the cards, or unpin (P)",
          "data-symbol": symbol,
          "aria-label": `${symbol} among the cards`,
          "aria-pressed": String(shared.pinned.has(symbol)),
        },
        createElement("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, path),
      ),
    );
  }

  window.dashAgGridComponentFunctions = Object.assign(window.dashAgGridComponentFunctions || {}, {
    GroupRow: (props) => window.React.createElement("div", { className: "group-row", role: "gridcell" }, props.data.group),
    Live,
    Symbol,
  });
})();
