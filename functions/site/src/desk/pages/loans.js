/** All loans, by status, product, currency, dates. */
import { call } from "../api.js";
import { Choice, DateChoice, LoanLink, Status } from "../facts.js";
import { Amount, date, dayOf, isZero, rate } from "../format.js";
import { Heading } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { useLoad } from "../load.js";
import { useQuery } from "../router.js";
import { html, useState } from "../ui.js";
import { t } from "../words.js";

/** Columns of a list of loans. */
export const loanColumns = [
  { label: t.loan.customer, head: true, cell: (loan) => html`<${LoanLink} loan=${loan} />` },
  { label: t.loan.status, cell: (loan) => html`<${Status} of=${loan.status} />` },
  { label: t.loan.amount, number: true, cell: (loan) => html`<${Amount} of=${loan.amount} currency=${loan.currency} />` },
  { label: t.loan.rate, number: true, cell: (loan) => rate(loan.interest_rate_apr) },
  {
    label: t.loan.outstanding,
    number: true,
    cell: (loan) => (isZero(loan.outstanding) ? t.none : html`<${Amount} of=${loan.outstanding} />`),
  },
  { label: t.loan.nextDue, cell: (loan) => html`<span class="nobreak">${date(loan.next_due_on)}</span>` },
  {
    label: t.loan.late,
    number: true,
    cell: (loan) => (loan.days_past_due > 0 ? html`<span class="late">${t.days(loan.days_past_due)}</span>` : t.none),
  },
  { label: t.loan.product, cell: (loan) => loan.product },
  { label: t.loan.appliedOn, cell: (loan) => html`<span class="nobreak">${date(dayOf(loan.created_at))}</span>` },
];

/** Finds a loan by the reference that its payments carry. */
function ByReference() {
  const [, setReference] = useQuery("pay_ref");
  const [text, setText] = useState("");
  const find = (event) => {
    event.preventDefault();
    setReference(text.trim());
  };
  return html`<form class="choice" onSubmit=${find} role="search">
    <label
      >${t.loan.payRef}
      <input type="search" size="12" value=${text} onInput=${({ target }) => setText(target.value)}
    /></label>
    <button type="submit">${t.find}</button>
  </form>`;
}

export default function Loans({ user }) {
  const [status, setStatus] = useQuery("status");
  const [product, setProduct] = useQuery("product");
  const [from, setFrom] = useQuery("created_from");
  const [to, setTo] = useQuery("created_to");
  const [sort, setSort] = useQuery("sort", "-created_at");
  const [reference, setReference] = useQuery("pay_ref");
  const products = useLoad((signal) => call("GET /api/products", { query: { limit: 200 }, signal }), []);
  const query = { status, product, created_from: from, created_to: to, sort, pay_ref: reference };
  const list = usePages("GET /api/loans", { query });
  const statuses = ["pending", "approved", "disbursed", "repaid", "defaulted", "rejected", "withdrawn"];
  const codes = (products.data?.data ?? []).map(({ code, name }) => [code, name]);
  return html`<${Heading} text=${t.nav.loans}>
      ${user.role === "agent" && html`<a class="button" href="/desk/apply">${t.nav.newApplication}</a>`}
    <//>
    <div class="filters">
      <${Choice} label=${t.loan.status} value=${status} onChange=${setStatus} options=${[["", t.all], ...statuses.map((it) => [it, t.status[it]])]} />
      <${Choice} label=${t.loan.product} value=${product} onChange=${setProduct} options=${[["", t.all], ...codes]} />
      <${DateChoice} label=${t.loans.from} value=${from} onChange=${setFrom} />
      <${DateChoice} label=${t.loans.to} value=${to} onChange=${setTo} />
      <${Choice} label=${t.loans.sort} value=${sort} onChange=${setSort} options=${Object.entries(t.loans.sorts)} />
      <${ByReference} />
      ${reference && html`<button type="button" onClick=${() => setReference("")}>${t.loans.anyReference(reference)}</button>`}
    </div>
    <${Paged} of=${list} label=${t.nav.loans} columns=${loanColumns} empty=${t.loans.none} />`;
}
