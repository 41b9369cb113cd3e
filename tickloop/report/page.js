// SPDX-License-Identifier: MIT
// Draws the report's plots from the data in the page, in the colours of the scheme that is in force, and obeys its controls.
"use strict";
(() => {
  const { data, at, color, number, plot, drawn } = page;
  const price = (value) => (value / 10000).toLocaleString("en-US", { minimumFractionDigits: 4 });
  const us = (values) => values.map((ns) => ns / 1000);

  const draw = {
    waterfall() {
      const message = data.messages[at("message").value];
      const stages = message.ns.length === data.way.length ? data.way : data.short_way;
      const base = [];
      let end = 0;
      for (const ns of message.ns) { base.push(end); end += ns; }
      plot("waterfall", [{
        type: "bar", orientation: "h", y: stages, x: message.ns, base, marker: { color: color("mark") },
        text: message.ns.map((ns) => `${number(ns)} ns`), textposition: "outside", cliponaxis: false,
        hovertemplate: "%{y}: from %{base:,.3f} ns, %{text}<extra></extra>",
      }], { xaxis: { title: { text: "simulated ns from the frame's first byte" }, range: [Math.min(0, ...base), end * 1.12] },
            yaxis: { autorange: "reversed" } });
      at("way-total").textContent = number(Math.round(end * 1000) / 1000);
    },
    cdf() {
      const stage = at("stage").value;
      const traces = [];
      for (const [run, hue] of [["", "mark"], ["against", "second"]]) {
        const curve = (run ? data[run] || {} : data.curves)[stage];
        if (!curve) continue;
        traces.push({ type: "scatter", mode: "lines", line: { shape: "hv", color: color(hue), dash: run ? "dot" : "solid" },
                      name: run ? "second run" : "this run", x: curve.x, y: curve.y,
                      hovertemplate: `%{y:.4g} % up to %{x:,} ${data.units[stage]}<extra></extra>` });
      }
      plot("cdf", traces, { xaxis: { title: { text: `${stage}, ${data.units[stage]}` } },
                            yaxis: { title: { text: "% of samples" }, range: [0, 102] } });
    },
    rates() {
      const { start_ns, interval_ns, counts } = data.rates;
      const hues = ["mark", "third", "second"];
      plot("rates", Object.entries(counts).map(([name, values], k) => ({
        type: "scatter", mode: "lines", line: { shape: "hv", color: color(hues[k % 3]), width: 1.5 }, name, x: us(start_ns),
        y: values.map((count) => count / interval_ns * 1e9), customdata: values,
        hovertemplate: "%{customdata} from %{x:,.1f} µs on<extra>%{fullData.name}</extra>",
      })), { xaxis: { title: { text: "simulated µs" } }, yaxis: { title: { text: "a second" }, rangemode: "tozero" } });
    },
    occupancy() {
      const { start_ns, most, mean } = data.occupancy;
      plot("occupancy", [["most", most, "mark"], ["mean", mean, "second"]].map(([name, y, hue]) => (
        { type: "scatter", mode: "lines", line: { shape: "hv", color: color(hue), width: 1.5 }, name, x: us(start_ns), y }
      )), { xaxis: { title: { text: "simulated µs" } }, yaxis: { title: { text: "lines" }, rangemode: "tozero" } });
    },
    market() {
      const stock = at("stock").value;
      const symbol = data.symbols[stock];
      const side = (values) => values.map((value) => value ? value / 10000 : null);
      const line = (name, values, hue) => (
        { type: "scatter", mode: "lines", line: { shape: "hv", color: color(hue), width: 1.5 }, name, x: us(symbol.time_ns), y: side(values) });
      const orders = data.orders.filter((order) => order.stock === stock && order.price);
      const markers = (name, own, mark, hue) => ({
        type: "scatter", mode: "markers", marker: { symbol: mark, size: 10, color: color(hue), line: { width: 1, color: color("paper") } },
        name, x: us(own.map((order) => order.time_ns)), y: own.map((order) => order.price / 10000),
        text: own.map((order) => `order ${order.number}: ${order.shares} shares`), hovertemplate: "%{text} at %{y}<extra></extra>" });
      const moment = Number(at("moment").value);
      plot("market", [line("best bid", symbol.bid, "good"), line("best ask", symbol.ask, "bad"),
        markers("buy orders", orders.filter((order) => order.side === "B"), "triangle-up", "mark"),
        markers("sell orders", orders.filter((order) => order.side !== "B"), "triangle-down", "second")],
        { xaxis: { title: { text: "simulated µs" } }, yaxis: { title: { text: stock } },
          shapes: [{ type: "line", yref: "paper", y0: 0, y1: 1, x0: symbol.time_ns[moment] / 1000, x1: symbol.time_ns[moment] / 1000,
                     line: { color: color("soft"), dash: "dot", width: 1 } }] });
    },
    ladder() {
      const symbol = data.symbols[at("stock").value];
      const moment = Number(at("moment").value);
      at("moment-time").textContent = `${number(symbol.time_ns[moment] / 1000)} µs, after message ${symbol.sequence[moment]}`;
      const [bids, asks] = symbol.ladder[moment];
      const body = at("ladder");
      body.replaceChildren();
      const row = (cells) => {
        const line = body.insertRow();
        for (const [text, kind] of cells) { const cell = line.insertCell(); cell.textContent = text; cell.className = kind; }
      };
      for (const [value, shares, orders] of [...asks].reverse()) row([["", ""], ["", ""], [price(value), "n ask"], [number(shares), "n"], [orders, "n soft"]]);
      for (const [value, shares, orders] of bids) row([[orders, "n soft"], [number(shares), "n"], [price(value), "n bid"], ["", ""], ["", ""]]);
    },
    profit() {
      const steps = data.profit;
      plot("profit", [{ type: "scatter", mode: "lines+markers", line: { shape: "hv", color: color("mark") }, x: us(steps.map((s) => s.time_ns)),
        y: steps.map((s) => s.profit / 10000), text: steps.map((s) => `${s.executions} executions, ${s.shares} shares`),
        hovertemplate: "%{y:,.4f} after %{text}<extra></extra>" }],
        { xaxis: { title: { text: "simulated µs" } }, yaxis: { title: { text: "profit and loss" } } });
    },
  };
  const redraw = () => { for (const [id, paint] of Object.entries(draw)) if (at(id)) paint(); };

  function option(select, value, text) {
    const entry = document.createElement("option");
    entry.value = value;
    entry.textContent = text;
    select.append(entry);
  }
  function onChange(id, ...ids) {
    if (at(id)) at(id).addEventListener("input", () => { for (const one of ids) draw[one](); });
  }
  function newStock() {
    const symbol = data.symbols[at("stock").value];
    at("moment").max = symbol.time_ns.length - 1;
    at("moment").value = Math.floor(symbol.time_ns.length / 2);
  }

  if (at("message")) {
    data.messages.forEach((message, k) => {
      const kind = message.ns.length === data.way.length ? "order, " : "";
      option(at("message"), k, `${message.sequence}: ${message.type} ${message.stock} (${kind}${number(message.ns.reduce((a, b) => a + b, 0))} ns)`);
    });
    const first = data.messages.findIndex((message) => message.ns.length === data.way.length);
    at("message").value = Math.max(0, first);
  }
  if (at("stage")) {
    for (const stage of Object.keys(data.curves)) option(at("stage"), stage, stage);
    at("stage").value = data.curves.tick_to_trade ? "tick_to_trade" : Object.keys(data.curves)[0];
  }
  if (at("stock")) {
    for (const stock of Object.keys(data.symbols)) option(at("stock"), stock, stock);
    newStock();
    at("stock").addEventListener("input", newStock);
  }
  onChange("message", "waterfall");
  onChange("stage", "cdf");
  onChange("stock", "market", "ladder");
  onChange("moment", "market", "ladder");
  drawn(redraw);
})();
