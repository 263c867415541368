// What Dash's callbacks hand to the page's modules. A classic script: Dash may call before the modules have run.
(function bridge() {
  "use strict";
  const waiting = [];
  let taker = null;
  window.tickboardInbox = {
    /** @param {(kind: string, data: any) => void} take */
    open(take) {
      taker = take;
      for (const [kind, data] of waiting.splice(0)) take(kind, data);
    },
  };
  const give = (kind) => (data) => {
    if (data != null) {
      if (taker) taker(kind, data);
      else waiting.push([kind, data]);
    }
    return window.dash_clientside.no_update;
  };
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.tickboard = {
    start: give("start"),
    figure: give("figure"),
    alerts: give("alerts"),
    polled: give("polled"),
    heat: give("heat"),
    movers: give("movers"),
    breadth: give("breadth"),
    correlation: give("correlation"),
    compare: give("compare"),
  };
})();
