// SPDX-License-Identifier: MIT
// Draws the history of regressions: jobs of each run by verdict, and how long it took, with its coverage.
"use strict";
(() => {
  const { data, color, plot, drawn } = page;
  const names = data.runs.map((run) => run.name);
  const axis = { type: "category", showticklabels: names.length <= 6 };
  const kinds = [...new Set(data.runs.flatMap((run) => Object.keys(run.coverage)))];

  function verdicts() {
    const bar = (name, key, hue) => ({ type: "bar", name, x: names, y: data.runs.map((run) => run[key]), marker: { color: color(hue) },
      hovertemplate: `%{x}: %{y} ${name}<extra></extra>` });
    plot("verdicts", [bar("passed", "passed", "good"), bar("failed", "failed", "bad"), bar("not run", "not_run", "line")],
      { barmode: "stack", xaxis: axis, yaxis: { title: { text: "jobs" } } });
  }

  function times() {
    const line = (name, y, hue, more) => ({ type: "scatter", mode: "lines+markers", name, x: names, y, connectgaps: true,
      line: { color: color(hue) }, ...more });
    const hues = ["second", "third", "good", "soft"];
    plot("times", [
      line("minutes", data.runs.map((run) => run.seconds / 60), "mark", { hovertemplate: "%{x}: %{y:.1f} min<extra></extra>" }),
      ...kinds.map((kind, k) => line(`${kind} coverage`, data.runs.map((run) => run.coverage[kind] ?? null), hues[k % hues.length],
        { yaxis: "y2", line: { color: color(hues[k % hues.length]), dash: "dot" }, hovertemplate: `%{x}: ${kind} %{y:.2f} %<extra></extra>` })),
    ], { xaxis: axis, yaxis: { title: { text: "minutes" }, rangemode: "tozero" },
         yaxis2: { title: { text: "% covered" }, overlaying: "y", side: "right", showgrid: false, automargin: true, range: [0, 102] } });
  }

  drawn(() => { verdicts(); times(); });
})();
