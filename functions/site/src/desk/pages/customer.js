/** A customer: how to reach them, what is known of them, how they pay, their loans. */
import { call } from "../api.js";
import { Facts, LoanLink, Status } from "../facts.js";
import { Amount, amount, date, dayOf, late, number } from "../format.js";
import { Heading, Section } from "../layout.js";
import { Paged, Table, usePages } from "../lists.js";
import { Loaded, useLoad } from "../load.js";
import { Mail, Phone, Who, nameOf, openLazily } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Changes } from "./changes.js";
import CustomerProfile from "./customer-profile.js";
import { loanColumns } from "./loans.js";
import { UserActions } from "./user-actions.js";

const columns = [
  { label: t.loan.amount, head: true, cell: (loan) => html`<${LoanLink} loan=${loan}>${amount(loan.amount, loan.currency)}<//>` },
  ...loanColumns.slice(1).filter(({ label }) => label !== t.loan.amount),
];

const COMMANDS = () => import("./customer-commands.js");
const CODE = () => import("./activation-code.js");

/** The commands on a customer beside those on an account. */
function Actions({ customer, me }) {
  if (customer.status !== "active") return null;
  const isAdmin = me.role === "admin";
  const button = (text, load, properties) => html`<button type="button" onClick=${() => openLazily(load, properties)}>${text}</button>`;
  return html`${isAdmin && button(t.kyc.verify.button, COMMANDS, { name: "verify", customer })}
    ${isAdmin && button(t.assign.customer.button, COMMANDS, { name: "assignCustomer", customer })}
    ${(isAdmin || customer.agent_id === me.id) && button(t.activation.button, CODE, { user: customer })}`;
}

/** The result of the identity check. */
const Found = ({ of: kyc }) =>
  html`<${Status} of=${kyc.status} /> ${[kyc.expires_on && t.kyc.until(date(kyc.expires_on)), kyc.reason].filter(Boolean).join(", ")}`;

/** How a customer has paid so far. */
function Summary({ id }) {
  const found = useLoad((signal) => call("GET /api/customers/{id}/summary", { path: { id }, signal }), [id]);
  const words = t.customers.summary;
  const money = (label, name) => ({ label, number: true, cell: ([code, sums]) => html`<${Amount} of=${sums[name]} currency=${code} />` });
  return html`<${Section} title=${words.title}>
    <${Loaded} of=${found}>
      ${(it) => html`<${Facts}
          of=${[
            [words.loans, number(it.total_loans)],
            [words.repaid, number(it.loans_repaid)],
            [words.longest, late(it.longest_days_past_due)],
          ]}
        />
        ${Object.keys(it.by_currency).length > 0 &&
        html`<${Table}
          label=${words.title}
          rows=${Object.entries(it.by_currency)}
          keyOf=${([code]) => code}
          columns=${[
            { label: t.portfolio.currency, head: true, cell: ([code]) => code },
            money(t.loan.outstanding, "outstanding"),
            money(t.portfolio.past_due, "past_due"),
            money(t.loan.held, "held"),
          ]}
        />`}`}
    <//>
  <//>`;
}

export default function Customer({ path: { id }, user: me }) {
  const found = useLoad((signal) => call("GET /api/customers/{id}", { path: { id }, signal }), [id]);
  const loans = usePages("GET /api/loans", { query: { borrower_id: id } });
  const customer = found.data;
  return html`<${Heading} text=${customer ? nameOf(customer) : t.loan.customer} over=${customer && html`${t.roles.customer} <${Status} of=${customer.status} />`}>
      ${customer && me.role === "agent" && customer.status === "active" && html`<a class="button primary" href="/desk/apply?customer=${customer.username}">${t.nav.newApplication}</a>`}
      ${customer && html`<${Actions} customer=${customer} me=${me} />`} ${customer && me.role === "admin" && html`<${UserActions} of=${customer} me=${me} />`}
    <//>
    <${Loaded} of=${found}>
      ${(it) => html`<${Facts}
        of=${[
          [t.person.phone, html`<${Phone} number=${it.phone} />`],
          [t.person.email, html`<${Mail} address=${it.email} />`],
          [t.person.username, it.username],
          [t.agents.agent, html`<${Who} id=${it.agent_id} me=${me} />`],
          it.kyc && [t.kyc.title, html`<${Found} of=${it.kyc} />`],
          it.external_id && [t.person.external_id, html`<code>${it.external_id}</code>`],
          ...Object.entries(it.metadata).map(([name, value]) => [name, value]),
          [t.decision.since, date(dayOf(it.created_at))],
        ]}
      />`}
    <//>
    <${CustomerProfile} id=${id} name=${customer && nameOf(customer)} mayEdit=${customer && customer.status !== "erased"} />
    <${Summary} id=${id} />
    <${Section} title=${t.nav.loans}>
      <${Paged} of=${loans} label=${t.nav.loans} columns=${columns} empty=${t.customers.noLoans} />
    <//>
    ${me.role === "admin" && html`<${Changes} id=${id} me=${me} />`}`;
}
