/** The history: the figures kept of each day, as a plot and as a table. */
import { Choice } from "../facts.js";
import { date, number } from "../format.js";
import { Section } from "../layout.js";
import { Table, usePages } from "../lists.js";
import { Empty, Grey, Trouble } from "../load.js";
import { useQuery } from "../router.js";
import { html, useMemo } from "../ui.js";
import { t } from "../words.js";
import { Plot } from "./plot.js";

/** How many days a page of the history has. */
const DAYS = 90;

/** The day, week or month in which a day is, of which the history shows the last day. */
function period(day, interval) {
  if (interval !== "week") return interval === "month" ? day.slice(0, 7) : day;
  const days = Date.parse(`${day}T00:00:00Z`) / 86_400_000;
  // The first day of all such counts was a Thursday; weeks begin on Mondays.
  return String(Math.floor((days + 3) / 7));
}

/**
 * The days that are kept, the latest first, with the figures as they are now for the last of them: those kept of today
 * are as old as the last run of the scheduled function.
 */
function withToday(days, statistics, interval) {
  const now = period(statistics.as_of, interval);
  return [statistics, ...days.filter((day) => period(day.as_of, interval) !== now)];
}

const NAMES = ["loans", "disbursed", "repaid", "outstanding", "past_due"];

export default function History({ currency, statistics }) {
  const [interval, setInterval] = useQuery("interval", "day");
  const list = usePages("GET /api/stats/history", { query: { interval } }, DAYS);
  const days = useMemo(
    () => withToday(list.rows ?? [], statistics, interval).filter((day) => day.by_currency[currency]),
    [list.rows, statistics, interval, currency],
  );
  const columns = [
    { label: t.portfolio.day, head: true, cell: (day) => html`<span class="nobreak">${date(day.as_of)}</span>` },
    ...NAMES.map((name) => ({ label: t.portfolio[name], number: true, cell: (day) => number(day.by_currency[currency][name]) })),
  ];
  const choice = html`<${Choice} label=${t.portfolio.interval} value=${interval} onChange=${setInterval} options=${Object.entries(t.portfolio.intervals)} />`;
  return html`<${Section} title=${t.portfolio.history} actions=${choice}>
    <${Trouble} error=${list.error} retry=${list.reload} />
    ${list.rows === undefined && !list.error && html`<${Grey} lines=${6} />`}
    ${list.rows && days.length === 0 && html`<${Empty}>${t.portfolio.noHistory(currency)}<//>`}
    ${list.rows &&
    days.length > 0 &&
    html`
      <${Plot} days=${days} currency=${currency} />
      <details>
        <summary>${t.portfolio.table}</summary>
        <${Table} label=${t.portfolio.history} rows=${days} columns=${columns} keyOf=${(day) => day.as_of} />
      </details>
      ${list.cursor && html`<button type="button" class="more" onClick=${list.more}>${t.portfolio.earlier}</button>`}
    `}
  <//>`;
}
