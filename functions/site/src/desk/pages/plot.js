/** The plot of the history. Everywhere else amounts stay strings; here they become numbers, to find pixels. */
import { date, number } from "../format.js";
import { loadPlots } from "../trusted.js";
import { html, useEffect, useRef, useState } from "../ui.js";
import { t } from "../words.js";

function plotOptions(uPlot, box, point) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`);
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: colour("muted"), font, ticks: { show: false }, grid: { stroke: colour("line"), width: 1 } };
  const line = (name, fill) => ({ stroke: colour(name), width: 2, fill: fill && colour(fill), points: { size: 5 } });
  const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 2 });
  const month = 28 * 24 * 60 * 60;
  const dates = (_plot, times, _axis, _space, step) =>
    times.map((time) => new Date(time * 1000).toISOString().slice(0, step >= month ? 7 : 10));
  return {
    width: box.clientWidth,
    height: heightOf(box),
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

const heightOf = (box) => (box.clientWidth < 600 ? 200 : 280);

/** A number that changes whenever the screen turns dark or light. */
function useScheme() {
  const [turns, setTurns] = useState(0);
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const turn = () => setTurns((count) => count + 1);
    dark.addEventListener("change", turn);
    return () => dark.removeEventListener("change", turn);
  }, []);
  return turns;
}

/** Outstanding and past due principal of days, the latest first. */
export function Plot({ days: latestFirst, currency }) {
  const box = useRef(null);
  const days = latestFirst.toReversed();
  const [shown, setShown] = useState(null);
  const scheme = useScheme();
  useEffect(() => {
    let plot = null;
    let isGone = false;
    const watcher = new ResizeObserver(() => {
      if (plot && box.current?.clientWidth > 0) plot.setSize({ width: box.current.clientWidth, height: heightOf(box.current) });
    });
    setShown(null);
    // One point is no line.
    if (days.length >= 2) {
      loadPlots().then((uPlot) => {
        if (isGone) return;
        const amounts = (name) => days.map((day) => Number(day.by_currency[currency][name]));
        const seconds = days.map((day) => Date.parse(`${day.as_of}T00:00:00Z`) / 1000);
        const point = ({ cursor }) => setShown(cursor.idx ?? null);
        plot = new uPlot(plotOptions(uPlot, box.current, point), [seconds, amounts("outstanding"), amounts("past_due")], box.current);
        watcher.observe(box.current);
      });
    }
    return () => {
      isGone = true;
      watcher.disconnect();
      plot?.destroy();
    };
  }, [latestFirst, currency, scheme]);
  const day = days[shown] ?? days.at(-1);
  const sums = day.by_currency[currency];
  const label = t.portfolio.plot(currency, date(days[0].as_of), date(days.at(-1).as_of));
  return html`<figure>
    <figcaption class="readout">
      <span>${date(day.as_of)}</span>
      <span class="series outstanding">${t.portfolio.outstanding} ${number(sums.outstanding)}</span>
      <span class="series late">${t.portfolio.past_due} ${number(sums.past_due)}</span>
      <span class="muted">${currency}</span>
    </figcaption>
    ${days.length >= 2 && html`<div ref=${box} class="plot" role="img" aria-label=${label}></div>`}
  </figure>`;
}
