// SPDX-License-Identifier: MIT
// What the scripts of all pages share: the page's data, and plots in the colours of the scheme that is in force.
"use strict";
const page = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const color = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const number = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 3 });

  function plot(id, traces, axes) {
    const grid = { gridcolor: color("line"), zerolinecolor: color("line"), automargin: true };
    const layout = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 50, r: 15, t: 10, b: 45 },
      font: { color: color("ink"), size: 12, family: "system-ui, sans-serif" }, legend: { orientation: "h", y: 1.12 },
      showlegend: traces.length > 1, ...axes,
      xaxis: { ...grid, ...axes.xaxis }, yaxis: { ...grid, ...axes.yaxis },
    };
    Plotly.react(id, traces, layout, { displayModeBar: false, responsive: true });
  }

  // Draws now, and again whenever the scheme changes, by its switch or by the system.
  function drawn(redraw) {
    at("scheme").addEventListener("click", () => {
      const dark = root.dataset.scheme ? root.dataset.scheme === "dark" : system.matches;
      root.dataset.scheme = dark ? "light" : "dark";
      redraw();
    });
    system.addEventListener("change", redraw);
    redraw();
  }

  return { data, at, color, number, plot, drawn };
})();
