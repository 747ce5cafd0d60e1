/** An agent's work: requests, what of them was approved, what was paid out and collected. */
import { call } from "../api.js";
import { DateChoice } from "../facts.js";
import { date, number, percent } from "../format.js";
import { Table } from "../lists.js";
import { Empty, Loaded, useLoad } from "../load.js";
import { useQuery } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { AtRisk } from "./arrears.js";

const columns = [
  { label: t.portfolio.currency, head: true, cell: ([code]) => code },
  { label: t.performance.requests, number: true, cell: ([, sums]) => number(sums.requests) },
  { label: t.performance.approved, number: true, cell: ([, sums]) => percent(sums.approval_rate) },
  { label: t.portfolio.disbursed, number: true, cell: ([, sums]) => number(sums.disbursed) },
  { label: t.performance.collected, number: true, cell: ([, sums]) => number(sums.collected) },
  { label: t.portfolio.risks.par30, number: true, cell: ([, sums]) => html`<${AtRisk} of=${sums.par30} />` },
];

export default function Performance({ id }) {
  const [from, setFrom] = useQuery("from");
  const [to, setTo] = useQuery("to");
  const found = useLoad(
    (signal) => call("GET /api/agents/{id}/performance", { path: { id }, query: { from, to }, signal }),
    [id, from, to],
  );
  return html`<div class="filters">
      <${DateChoice} label=${t.loans.from} value=${from} onChange=${setFrom} />
      <${DateChoice} label=${t.loans.to} value=${to} onChange=${setTo} />
    </div>
    <${Loaded} of=${found}>
      ${(work) => {
        const time = work.from ? t.performance.between(date(work.from), date(work.to)) : t.performance.until(date(work.to));
        const currencies = Object.entries(work.by_currency);
        if (currencies.length === 0) return html`<${Empty}>${t.performance.none(time)}<//>`;
        return html`<p>${t.performance.summary(number(work.requests), percent(work.approval_rate), time)}</p>
          <${Table} label=${t.performance.title} rows=${currencies} columns=${columns} keyOf=${([code]) => code} />`;
      }}
    <//>`;
}
