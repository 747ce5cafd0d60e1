/** The journal entries of a loan. */
import { date, isZero, minute, number } from "../format.js";
import { Paged, usePages } from "../lists.js";
import { html } from "../ui.js";
import { t } from "../words.js";

const side = (name) => ({
  label: t.ledger[name],
  number: true,
  cell: (entry) => html`<div>${entry.lines.map((line, place) => html`<span class="row" key=${place}>${isZero(line[name]) ? " " : number(line[name])}</span>`)}</div>`,
});

const columns = [
  { label: t.ledger.value_date, head: true, cell: (entry) => html`<span class="nobreak">${date(entry.value_date)}</span>` },
  {
    label: t.ledger.account,
    cell: (entry) => html`<div>${entry.lines.map((line, place) => html`<span class="row" key=${place}>${t.account(line.account)}</span>`)}</div>`,
  },
  side("debit"),
  side("credit"),
  { label: t.ledger.recorded_at, cell: (entry) => html`<span class="nobreak">${minute(entry.recorded_at)}</span>` },
];

export default function LoanLedger({ loan, query }) {
  const list = usePages("GET /api/loans/{id}/ledger", { path: { id: loan.id }, query });
  return html`<p class="muted">${t.transaction.in(loan.currency)}</p>
    <${Paged} of=${list} label=${t.loan.tabs.ledger} columns=${columns} empty=${t.ledger.none} />`;
}
