/** What a decision needs: who asks, their former loans, what they owe, the terms and their cost. */
import { call } from "../api.js";
import { Facts, LoanLink, Status } from "../facts.js";
import { Amount, amount, date, dayOf, isZero, late, minute, plan, rate } from "../format.js";
import { Section } from "../layout.js";
import { Table } from "../lists.js";
import { Empty, Loaded, useLoad } from "../load.js";
import { Mail, Phone, Who, nameOf } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";

const former = [
  { label: t.loan.amount, head: true, cell: (loan) => html`<${LoanLink} loan=${loan}>${amount(loan.amount, loan.currency)}<//>` },
  { label: t.loan.status, cell: (loan) => html`<${Status} of=${loan.status} />` },
  { label: t.loan.appliedOn, cell: (loan) => date(dayOf(loan.created_at)) },
  { label: t.loan.outstanding, number: true, cell: (loan) => (isZero(loan.outstanding) ? t.none : html`<${Amount} of=${loan.outstanding} />`) },
  { label: t.loan.late, cell: (loan) => (loan.status === "disbursed" ? late(loan.days_past_due) : t.none) },
];

/** The cost of a loan, as a quote of its own terms. */
export const quoteOf = (loan, signal) =>
  call("POST /api/quotes", { body: { amount: loan.amount, currency: loan.currency, terms: loan.terms }, signal });

export default function Decision({ loan, user }) {
  const found = useLoad(
    async (signal) => {
      const path = { id: loan.borrower_id };
      const [customer, loans, quote] = await Promise.all([
        call("GET /api/customers/{id}", { path, signal }),
        call("GET /api/loans", { query: { borrower_id: loan.borrower_id, limit: 50 }, signal }),
        quoteOf(loan, signal).catch(() => null),
      ]);
      return { customer, loans: loans.data.filter(({ id }) => id !== loan.id), quote };
    },
    [loan.id, loan.version],
  );
  return html`<${Section} title=${t.decision.title} class="raised">
    <${Loaded} of=${found} lines=${4}>
      ${({ customer, loans, quote }) => html`
        <div class="columns two">
          <${Facts}
            of=${[
              [t.loan.customer, html`<a href="/desk/customers/${customer.id}">${nameOf(customer)}</a>`],
              [t.person.phone, html`<${Phone} number=${customer.phone} />`],
              [t.person.email, html`<${Mail} address=${customer.email} />`],
              [t.decision.since, date(dayOf(customer.created_at))],
              [t.decision.by, html`<${Who} id=${loan.edited_by ?? loan.created_by} me=${user} loan=${loan} />, ${minute(loan.edited_at ?? loan.created_at)}`],
            ]}
          />
          <${Facts}
            of=${[
              [t.loan.amount, amount(loan.amount, loan.currency)],
              [t.loan.instalments, plan(loan)],
              [t.loan.rate, rate(loan.interest_rate_apr)],
              [t.quote.apr, quote ? rate(quote.apr.effective) : t.none],
              [t.loan.totalDue, amount(loan.total_due, loan.currency)],
            ]}
          />
        </div>
        <h3>${t.decision.former}</h3>
        ${loans.length === 0
          ? html`<${Empty}>${t.decision.first}<//>`
          : html`<${Table} label=${t.decision.former} rows=${loans} columns=${former} />`}
      `}
    <//>
  <//>`;
}
