/** The statement of a loan, to print. */
import { call } from "../api.js";
import { DateChoice, Facts } from "../facts.js";
import { amount, date, isZero, minute, number } from "../format.js";
import { Table } from "../lists.js";
import { Empty, Loaded, useLoad } from "../load.js";
import { useQuery } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";

const part = (name) => ({ label: t.statement[name], number: true, cell: (line) => (isZero(line[name] ?? "0") ? t.none : number(line[name])) });

const columns = [
  { label: t.transaction.on, head: true, cell: (line) => html`<span class="nobreak">${date(line.on)}</span>` },
  {
    label: t.transaction.kind,
    cell: (line) => html`<div>${t.kinds[line.kind]}${line.reference && html`<span class="detail">${line.reference}</span>`}</div>`,
  },
  { label: t.transaction.amount, number: true, cell: (line) => number(line.amount) },
  part("principal"),
  part("interest"),
  part("fees"),
  part("penalties"),
  { label: t.statement.balance, number: true, cell: (line) => number(line.balance) },
];

/** All lines of a statement, page by page. */
async function whole(id, query, signal) {
  let statement = null;
  let cursor;
  do {
    const page = await call("GET /api/loans/{id}/statement", { path: { id }, query: { ...query, limit: 200, cursor }, signal });
    statement = statement ? { ...statement, data: [...statement.data, ...page.data] } : page;
    cursor = page.next_cursor;
  } while (cursor);
  return statement;
}

export default function Statement({ loan, query }) {
  const [from, setFrom] = useQuery("from");
  const [to, setTo] = useQuery("to");
  const found = useLoad(
    (signal) => whole(loan.id, { ...query, from, to }, signal),
    [loan.id, loan.updated_at, from, to, query.as_of, query.known_at],
  );
  return html`<div class="filters">
      <${DateChoice} label=${t.loans.from} value=${from} onChange=${setFrom} />
      <${DateChoice} label=${t.loans.to} value=${to} onChange=${setTo} />
      <button type="button" onClick=${() => print()}>${t.print}</button>
    </div>
    <${Loaded} of=${found} lines=${8}>
      ${(statement) => html`
        <${Facts}
          of=${[
            [t.loan.payRef, loan.pay_ref],
            [t.statement.opening, amount(statement.opening_balance, statement.currency)],
            [t.statement.closing, amount(statement.closing_balance, statement.currency)],
            [t.statement.asOf, date(statement.as_of)],
          ]}
        />
        ${statement.data.length === 0
          ? html`<${Empty}>${t.statement.none}<//>`
          : html`<${Table} label=${t.loan.tabs.statement} rows=${statement.data} columns=${columns} keyOf=${(line) => line.transaction_id} />`}
        <p class="muted">${t.statement.printed(minute(statement.known_at))}</p>
      `}
    <//>`;
}
