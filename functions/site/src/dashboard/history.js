/** The history: the figures kept of each day. */
import { at, fillTable } from "./elements.js";
import { grouped } from "./format.js";
import { draw } from "./plot.js";
import { load } from "./sections.js";
import { ask, view } from "./session.js";

/** How many days a page of the history has. */
const DAYS = 90;

/** Loads the latest days, or with a cursor the days before those that are shown. */
export function showHistory(cursor = null) {
  return load(at("history"), async (signal) => {
    const query = { interval: at("interval").value, limit: DAYS, cursor };
    const page = await ask("GET", "/api/stats/history", { query, signal });
    view.days = cursor ? [...view.days, ...page.data] : page.data;
    view.earlier = page.next_cursor;
    showDays();
  });
}

/** Shows the days in the chosen currency, the latest first in the table and last in the plot. */
export function showDays() {
  if (!view.currency || !view.days) return;
  const section = at("history");
  const days = withToday(view.days).filter((day) => day.by_currency[view.currency]);
  const empty = section.querySelector(".empty");
  empty.textContent = `No figures of ${view.currency} have been kept yet.`;
  empty.hidden = days.length > 0;
  at("plot-figure").hidden = days.length === 0;
  // One point is no line.
  at("plot").hidden = days.length < 2;
  at("history-figures").hidden = days.length === 0;
  section.querySelector(".more").hidden = !view.earlier;
  at("history-table").tBodies[0].replaceChildren();
  fillTable(at("history-table"), days, (day) => {
    const sums = day.by_currency[view.currency];
    const amounts = [sums.disbursed, sums.repaid, sums.outstanding, sums.past_due];
    return [day.as_of, grouped(sums.loans), ...amounts.map(grouped)];
  });
  draw(days.toReversed());
}

/**
 * The days that are kept, the latest first, with the figures as they are now for the last of them: those kept of today
 * are as old as the last run of the scheduled function.
 */
function withToday(days) {
  if (!view.statistics) return days;
  const now = period(view.statistics.as_of);
  return [view.statistics, ...days.filter((day) => period(day.as_of) !== now)];
}

/** The day, week or month in which a day is, of which the history shows the last day. */
function period(day) {
  const interval = at("interval").value;
  if (interval !== "week") return interval === "month" ? day.slice(0, 7) : day;
  const days = Date.parse(`${day}T00:00:00Z`) / 86_400_000;
  // The first day of all such counts was a Thursday; weeks begin on Mondays.
  return String(Math.floor((days + 3) / 7));
}
