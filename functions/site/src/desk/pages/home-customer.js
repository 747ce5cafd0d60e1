/** A customer's first page: the own loans, with what is due when and how to pay. */
import { call } from "../api.js";
import { Facts, LoanLink, Status } from "../facts.js";
import { Amount, amount, date, dayOf, isZero, plan } from "../format.js";
import { Heading, Section } from "../layout.js";
import { Table } from "../lists.js";
import { Loaded, useLoad } from "../load.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { dueOf } from "./due.js";

function Running({ loan, schedule }) {
  const due = dueOf(schedule);
  const money = (value) => html`<${Amount} of=${value} currency=${loan.currency} />`;
  return html`<${Section} title=${html`<a href="/desk/loans/${loan.id}">${t.customer.loanOf(amount(loan.amount, loan.currency))}</a>`} class="raised">
    <${Facts}
      large
      of=${[
        !isZero(due.both) && [t.customer.dueNow, money(due.both), isZero(due.overdue) ? "main" : "main late"],
        due.next && [t.loan.nextOn(date(due.next.due_on)), money(due.next.outstanding), "main"],
        [t.loan.paid, money(schedule.totals.paid)],
        [t.customer.open, money(schedule.totals.outstanding)],
      ]}
    />
    <p>${t.customer.pay} <code class="reference">${loan.pay_ref}</code></p>
    <p><a href="/desk/loans/${loan.id}/schedule">${t.loan.tabs.schedule}</a> · <a href="/desk/loans/${loan.id}/statement">${t.loan.tabs.statement}</a></p>
  <//>`;
}

const columns = [
  { label: t.loan.amount, head: true, cell: (loan) => html`<${LoanLink} loan=${loan}>${amount(loan.amount, loan.currency)}<//>` },
  { label: t.loan.status, cell: (loan) => html`<${Status} of=${loan.status} />` },
  { label: t.loan.instalments, cell: plan },
  { label: t.loan.appliedOn, cell: (loan) => date(dayOf(loan.created_at)) },
  { label: t.loan.reason, cell: (loan) => loan.decision_reason ?? t.none },
];

export default function Home() {
  const found = useLoad(async (signal) => {
    const { data } = await call("GET /api/loans", { query: { limit: 100 }, signal });
    const running = data.filter(({ status }) => status === "disbursed");
    const schedules = await Promise.all(running.map(({ id }) => call("GET /api/loans/{id}/schedule", { path: { id }, signal })));
    return { running, schedules, others: data.filter(({ status }) => status !== "disbursed") };
  }, []);
  return html`<${Heading} text=${t.nav.myLoans}>
      <a class="button primary" href="/desk/apply">${t.customer.apply}</a>
    <//>
    <${Loaded} of=${found} lines=${6}>
      ${({ running, schedules, others }) => html`
        ${running.length + others.length === 0 && html`<p>${t.customer.none} <a href="/desk/products">${t.customer.look}</a></p>`}
        ${running.map((loan, place) => html`<${Running} key=${loan.id} loan=${loan} schedule=${schedules[place]} />`)}
        ${others.length > 0 && html`<${Section} title=${running.length ? t.customer.others : t.customer.all}><${Table} label=${t.customer.others} rows=${others} columns=${columns} /><//>`}
      `}
    <//>`;
}
