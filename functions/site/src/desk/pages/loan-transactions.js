/** The transactions of a loan: each with what it was for, its receipt, and its reversal. */
import { call } from "../api.js";
import { openDialog } from "../dialog.js";
import { amount, date, isZero, minute, number } from "../format.js";
import { Paged, usePages } from "../lists.js";
import { Who } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Command } from "./command.js";

/** An allocation in words: `principal 2,000.00, interest 250.00`. */
export function split(transaction) {
  const parts = Object.entries(transaction.allocation ?? {}).filter(([, value]) => !isZero(value));
  return parts.map(([name, value]) => `${t.components[name]} ${number(value)}`).join(", ");
}

function Reversal({ loan, transaction, close }) {
  const what = `${t.kinds[transaction.kind]}, ${amount(transaction.amount, transaction.currency)}, ${date(transaction.on)}`;
  return html`<${Command}
    title=${t.reversal.title}
    about=${t.reversal.about(what)}
    button=${t.reversal.button}
    danger
    close=${close}
    fields=${[{ name: "reason", label: t.reason, type: "textarea" }]}
    send=${async (values, keyOf) => {
      const path = { id: loan.id, tid: transaction.id };
      await call("POST /api/loans/{id}/transactions/{tid}/reversal", { path, body: values, key: keyOf(values) });
      return t.reversal.done(what);
    }}
  />`;
}

const PRINTED = ["repayment", "recovery", "disbursement", "refund"];

export default function Transactions({ loan, user, query }) {
  const list = usePages("GET /api/loans/{id}/transactions", { path: { id: loan.id }, query });
  const mayReverse = (row) =>
    user.role === "admin" && !query.as_of && !query.known_at && row.kind !== "reversal" && !row.reversed_by;
  const columns = [
    { label: t.transaction.on, head: true, cell: (row) => html`<span class="nobreak">${date(row.on)}</span>` },
    {
      label: t.transaction.kind,
      cell: (row) =>
        html`<div>${t.kinds[row.kind]}
          ${row.reversed_by && html` <span class="status">${t.transaction.reversed}</span>`}
          <span class="detail">${split(row)}</span>
        </div>`,
    },
    { label: t.transaction.amount, number: true, cell: (row) => number(row.amount) },
    { label: t.transaction.balance, number: true, cell: (row) => number(row.balance) },
    { label: t.transaction.reference, cell: (row) => [row.reference, row.channel].filter(Boolean).join(", ") || t.none },
    {
      label: t.transaction.recorded,
      cell: (row) => html`<div><span class="nobreak">${minute(row.recorded_at)}</span><span class="detail"><${Who} id=${row.recorded_by} me=${user} loan=${loan} /></span></div>`,
    },
    {
      label: t.transaction.actions,
      actions: true,
      cell: (row) =>
        html`<div class="actions">
          ${PRINTED.includes(row.kind) && html`<a class="button small" href="/desk/receipts/${loan.id}/${row.id}" aria-label=${t.transaction.receiptOf(date(row.on), number(row.amount))}>${t.transaction.receipt}</a>`}
          ${mayReverse(row) && html`<button type="button" class="small" aria-label=${t.transaction.reverseOf(date(row.on), number(row.amount))} onClick=${() => openDialog((close) => html`<${Reversal} loan=${loan} transaction=${row} close=${close} />`)}>${t.transaction.reverse}</button>`}
        </div>`,
    },
  ];
  const state = (row) => (row.reversed_by || row.kind === "reversal" ? "undone" : "");
  return html`<p class="muted">${t.transaction.in(loan.currency)}</p>
    <${Paged} of=${list} label=${t.loan.tabs.transactions} columns=${columns} empty=${t.transaction.none} rowClass=${state} />`;
}
