/** A customer: how to reach them, their loans. */
import { call } from "../api.js";
import { Facts, LoanLink, Status } from "../facts.js";
import { amount, date, dayOf } from "../format.js";
import { Heading, Section } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { Loaded, useLoad } from "../load.js";
import { Mail, Phone, nameOf } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Changes } from "./changes.js";
import { loanColumns } from "./loans.js";
import { UserActions } from "./user-actions.js";

const columns = [
  { label: t.loan.amount, head: true, cell: (loan) => html`<${LoanLink} loan=${loan}>${amount(loan.amount, loan.currency)}<//>` },
  ...loanColumns.slice(1).filter(({ label }) => label !== t.loan.amount),
];

export default function Customer({ path: { id }, user: me }) {
  const found = useLoad((signal) => call("GET /api/customers/{id}", { path: { id }, signal }), [id]);
  const loans = usePages("GET /api/loans", { query: { borrower_id: id } });
  const customer = found.data;
  return html`<${Heading} text=${customer ? nameOf(customer) : t.loan.customer} over=${customer && html`${t.roles.customer} <${Status} of=${customer.status} />`}>
      ${customer && me.role === "agent" && customer.status === "active" && html`<a class="button primary" href="/desk/apply?customer=${customer.username}">${t.nav.newApplication}</a>`}
      ${customer && me.role === "admin" && html`<${UserActions} of=${customer} me=${me} />`}
    <//>
    <${Loaded} of=${found}>
      ${(it) => html`<${Facts}
        of=${[
          [t.person.phone, html`<${Phone} number=${it.phone} />`],
          [t.person.email, html`<${Mail} address=${it.email} />`],
          [t.person.username, it.username],
          [t.decision.since, date(dayOf(it.created_at))],
        ]}
      />`}
    <//>
    <${Section} title=${t.nav.loans}>
      <${Paged} of=${loans} label=${t.nav.loans} columns=${columns} empty=${t.customers.noLoans} />
    <//>
    ${me.role === "admin" && html`<${Changes} id=${id} me=${me} />`}`;
}
