/**
 * The plot of the history. Everywhere else amounts stay strings; here they become numbers, to find pixels.
 */
/* global uPlot */
import { at, element } from "./elements.js";
import { grouped } from "./format.js";
import { view } from "./session.js";

/** Says what the figures of a day are, above the plot. */
function readOut(day) {
  const sums = day.by_currency[view.currency];
  const series = (name, amount, kind) => element("span", { class: `series ${kind}` }, `${name} ${grouped(amount)}`);
  at("readout").replaceChildren(
    element("span", {}, day.as_of),
    series("Outstanding", sums.outstanding, "outstanding"),
    series("Past due", sums.past_due, "late"),
    element("span", { class: "muted" }, view.currency),
  );
}

/** Draws the plot of days in their order. */
export function draw(days) {
  view.plot?.destroy();
  view.plot = null;
  if (days.length === 0) return;
  const box = at("plot");
  const [first, last] = [days[0], days.at(-1)];
  readOut(last);
  if (days.length < 2) return;
  const span = `from ${first.as_of} to ${last.as_of}`;
  const label = `Outstanding and past due in ${view.currency} ${span}. The table below has the figures.`;
  box.setAttribute("aria-label", label);
  const amounts = (name) => days.map((day) => Number(day.by_currency[view.currency][name]));
  const seconds = days.map((day) => Date.parse(`${day.as_of}T00:00:00Z`) / 1000);
  const point = (plot) => readOut(days[plot.cursor.idx ?? days.length - 1]);
  view.plot = new uPlot(plotOptions(box, point), [seconds, amounts("outstanding"), amounts("past_due")], box);
}

function plotOptions(box, point) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`);
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: colour("muted"), font, ticks: { show: false }, grid: { stroke: colour("line"), width: 1 } };
  const line = (name, fill) => ({ stroke: colour(name), width: 2, fill: fill && colour(fill), points: { size: 5 } });
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
  const month = 28 * 24 * 60 * 60;
  const dates = (plot, times, _axis, _space, step) =>
    times.map((time) => new Date(time * 1000).toISOString().slice(0, step >= month ? 7 : 10));
  return {
    width: box.clientWidth,
    height: plotHeight(box),
    padding: [8, 32, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    // A business date is no instant: the browser's time zone must not move it.
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
    scales: { y: { range: (_plot, _least, most) => uPlot.rangeNum(0, most || 1, 0.1, true) } },
    series: [{}, line("accent", "accent-wash"), line("late")],
    axes: [
      { ...axis, size: 32, space: 110, grid: { show: false }, values: dates },
      { ...axis, size: 52, values: (_plot, values) => values.map((value) => short.format(value)) },
    ],
    hooks: { setCursor: [point] },
  };
}

const plotHeight = (box) => (box.clientWidth < 600 ? 200 : 280);

export function resizePlot() {
  // The observer may have its say once more when the session has ended.
  const box = at("plot");
  if (view?.plot && box?.clientWidth > 0) view.plot.setSize({ width: box.clientWidth, height: plotHeight(box) });
}
