/** A payment: what arrived, which loans it paid, and what waits to be applied or given back. */
import { call } from "../api.js";
import { Facts, Status } from "../facts.js";
import { Amount, amount, date, isZero, minute } from "../format.js";
import { Heading, Section } from "../layout.js";
import { Table } from "../lists.js";
import { Empty, Loaded, useLoad } from "../load.js";
import { Who, openLazily } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { payerOf } from "./payments.js";

const COMMANDS = () => import("./payment-commands.js");

/** The loans that a payment may be meant for, the likeliest first. */
function Suggestions({ payment, mayApply }) {
  const found = useLoad((signal) => call("GET /api/payments/{id}/suggestions", { path: { id: payment.id }, signal }), [payment.id]);
  const columns = [
    { label: t.loan.customer, head: true, cell: (it) => html`<a href="/desk/loans/${it.loan_id}">${it.borrower_username}</a>` },
    { label: t.loan.payRef, cell: (it) => html`<code>${it.pay_ref}</code>` },
    { label: t.loan.status, cell: (it) => html`<${Status} of=${it.status} />` },
    { label: t.loan.outstanding, number: true, cell: (it) => html`<${Amount} of=${it.outstanding} currency=${it.currency} />` },
    { label: t.payments.why, cell: (it) => it.reasons.map((reason) => t.payments.reasons[reason] ?? reason).join(", ") },
    mayApply && {
      label: t.transaction.actions,
      actions: true,
      cell: (it) =>
        html`<button type="button" aria-label=${t.payments.applyTo(it.borrower_username)} onClick=${() => openLazily(COMMANDS, { name: "apply", payment, loan: it })}>${t.payments.apply.button}</button>`,
    },
  ].filter(Boolean);
  return html`<${Loaded} of=${found}>
    ${({ data }) => (data.length ? html`<${Table} label=${t.payments.suggestions} rows=${data} columns=${columns} keyOf=${(it) => it.loan_id} />` : html`<${Empty}>${t.payments.noSuggestions}<//>`)}
  <//>`;
}

const Applications = ({ of: payment }) =>
  html`<${Table}
    label=${t.payments.applications}
    rows=${payment.applications}
    keyOf=${(it) => it.transaction_id}
    columns=${[
      { label: t.loan.loan, head: true, cell: (it) => html`<a href="/desk/loans/${it.loan_id}/transactions">${t.payments.toLoan}</a>` },
      { label: t.loan.amount, number: true, cell: (it) => html`<${Amount} of=${it.amount} currency=${payment.currency} />` },
      { label: t.loan.status, cell: (it) => (it.reversed_by ? t.transaction.reversed : t.payments.stands) },
    ]}
  />`;

const Movements = ({ of: payment, me }) =>
  html`<${Table}
    label=${t.payments.movements}
    rows=${payment.movements}
    columns=${[
      { label: t.transaction.on, head: true, cell: (it) => html`<span class="nobreak">${date(it.on)}</span>` },
      { label: t.transaction.kind, cell: (it) => t.payments.kinds[it.kind] },
      { label: t.loan.amount, number: true, cell: (it) => html`<${Amount} of=${it.amount} currency=${payment.currency} />` },
      { label: t.reason, cell: (it) => [it.reason, it.reference].filter(Boolean).join(", ") },
      { label: t.history.by, cell: (it) => html`<${Who} id=${it.recorded_by} me=${me} />` },
    ]}
  />`;

const Conflicts = ({ of: conflicts }) =>
  html`<${Table}
    label=${t.payments.conflicts}
    rows=${conflicts}
    keyOf=${(_, place) => place}
    columns=${[
      { label: t.changes.field, head: true, cell: (it) => it.field },
      { label: t.payments.kept, cell: (it) => it.kept },
      { label: t.payments.told, cell: (it) => it.told },
    ]}
  />`;

/** The commands that a payment allows an admin. */
function Actions({ payment }) {
  const button = (name, kind = "") => html`<button type="button" class=${kind} onClick=${() => openLazily(COMMANDS, { name, payment })}>${t.payments[name].button}</button>`;
  return html`${!isZero(payment.unapplied) && html`${button("apply", "primary")}${button("giveBack")}${button("transfer")}`} ${button("correct")}`;
}

/** The notices of the provider, word for word. */
const Raw = ({ of: notices }) =>
  html`<${Section} title=${t.payments.raw}>
    ${notices.map(({ body, received_at: at, via }) => html`<p class="muted" key=${at}>${via}, ${minute(at)}</p><pre tabindex="0">${body ?? t.payments.dropped}</pre>`)}
  <//>`;

function Shown({ of: payment, me }) {
  const isAdmin = me.role === "admin";
  const { currency } = payment;
  return html`<${Facts}
      large
      of=${[
        [t.payments.unapplied, amount(payment.unapplied, currency)],
        [t.payments.applied, amount(payment.applied, currency)],
        !isZero(payment.returned) && [t.payments.returned, amount(payment.returned, currency)],
      ]}
    />
    <${Facts}
      of=${[
        [t.payments.payer, payerOf(payment.payer)],
        [t.payments.reference, payment.reference],
        [t.payments.receipt, html`<code>${payment.external_id}</code>`],
        [t.payments.source, isAdmin ? html`<a href="/desk/sources/${payment.source}">${payment.source}</a>` : payment.source],
        [t.payments.paidOn, payment.paid_at ? minute(payment.paid_at) : date(payment.paid_on)],
        [t.payments.receivedAt, minute(payment.received_at)],
        payment.matched_by && [t.payments.matchedBy, t.payments.matches[payment.matched_by]],
      ]}
    />
    ${payment.conflicts.length > 0 && html`<${Section} title=${t.payments.conflicts}><${Conflicts} of=${payment.conflicts} /><//>`}
    ${!isZero(payment.unapplied) && html`<${Section} title=${t.payments.suggestions}><${Suggestions} payment=${payment} mayApply=${isAdmin} key=${payment.unapplied} /><//>`}
    ${payment.applications.length > 0 && html`<${Section} title=${t.payments.applications}><${Applications} of=${payment} /><//>`}
    ${payment.movements.length > 0 && html`<${Section} title=${t.payments.movements}><${Movements} of=${payment} me=${me} /><//>`}
    ${payment.raw?.length > 0 && html`<${Raw} of=${payment.raw} />`}`;
}

export default function Payment({ path: { id }, user: me }) {
  const found = useLoad((signal) => call("GET /api/payments/{id}", { path: { id }, signal }), [id]);
  const payment = found.data;
  const title = payment ? t.payments.title(amount(payment.amount, payment.currency), date(payment.paid_on)) : t.payments.payment;
  return html`<${Heading} text=${title} over=${payment && html`${t.payments.payment} <${Status} of=${payment.state} />`}>
      ${payment && me.role === "admin" && html`<${Actions} payment=${payment} />`}
    <//>
    <${Loaded} of=${found} lines=${6}>${(it) => html`<${Shown} of=${it} me=${me} />`}<//>`;
}
