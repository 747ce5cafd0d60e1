/** The queue of decisions: pending applications, oldest first. */
import { Amount, minute, number, plan, rate } from "../format.js";
import { Heading } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { html } from "../ui.js";
import { t } from "../words.js";

const columns = [
  {
    label: t.loan.customer,
    head: true,
    cell: (loan) => html`<a href="/desk/customers/${loan.borrower_id}">${loan.borrower_username}</a>`,
  },
  {
    label: t.loan.amount,
    number: true,
    cell: (loan) => html`<${Amount} of=${loan.amount} currency=${loan.currency} />`,
  },
  {
    label: t.loan.terms,
    cell: (loan) => html`<div>${plan(loan)}<span class="detail">${t.applications.cost(rate(loan.interest_rate_apr), number(loan.total_due))}</span></div>`,
  },
  { label: t.loan.product, cell: (loan) => html`<a href="/desk/products/${loan.product}">${loan.product}</a>` },
  { label: t.applications.since, cell: (loan) => html`<span class="nobreak">${minute(loan.edited_at ?? loan.created_at)}</span>` },
  {
    label: t.applications.decide,
    actions: true,
    cell: (loan) =>
      html`<a class="button" href="/desk/loans/${loan.id}" aria-label=${t.applications.decideOn(loan.borrower_username)}>${t.applications.decide}</a>`,
  },
];

/** The pending applications. */
export function Queue({ rows = 25 }) {
  const list = usePages("GET /api/loans", { query: { status: "pending", sort: "created_at" } }, rows);
  return html`<${Paged} of=${list} label=${t.applications.title} columns=${columns} empty=${t.applications.none} />`;
}

export default function Applications() {
  return html`<${Heading} text=${t.applications.title} />
    <p class="muted">${t.applications.about}</p>
    <${Queue} />`;
}
