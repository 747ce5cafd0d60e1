/** The receipt of a transaction, to print or to show. */
import { call } from "../api.js";
import { Facts } from "../facts.js";
import { amount, date, isZero, minute } from "../format.js";
import { Heading } from "../layout.js";
import { Loaded, useLoad } from "../load.js";
import { Who, nameOf } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";

export default function Receipt({ path: { loan: id, transaction: tid }, user }) {
  const found = useLoad(
    async (signal) => {
      const [loan, made] = await Promise.all([
        call("GET /api/loans/{id}", { path: { id }, signal }),
        call("GET /api/loans/{id}/transactions/{tid}", { path: { id, tid }, signal }),
      ]);
      const person =
        user.role === "customer" ? user : await call("GET /api/customers/{id}", { path: { id: loan.borrower_id }, signal });
      return { loan, made, person };
    },
    [id, tid],
  );
  return html`<${Heading} text=${t.receipt.title}>
      <button type="button" class="primary" onClick=${() => print()}>${t.print}</button>
      <a class="button" href="/desk/loans/${id}">${t.receipt.toLoan}</a>
    <//>
    <${Loaded} of=${found} lines=${6}>
      ${({ loan, made, person }) => html`<article class="receipt">
        <p class="over">${t.kinds[made.kind]}</p>
        <p class="total">${amount(made.amount, made.currency)}</p>
        ${made.reversed_by && html`<p class="late">${t.receipt.reversed}</p>`}
        <${Facts}
          of=${[
            [t.loan.customer, nameOf(person)],
            [t.loan.payRef, html`<code class="reference">${loan.pay_ref}</code>`],
            [t.transaction.on, date(made.on)],
            ...Object.entries(made.allocation ?? {})
              .filter(([, value]) => !isZero(value))
              .map(([name, value]) => [t.receipt.components[name], amount(value, made.currency)]),
            made.paid_out && [t.receipt.paidOut, amount(made.paid_out, made.currency)],
            [t.receipt.balance, amount(made.balance, made.currency)],
            made.reference && [t.transaction.reference, made.reference],
            made.channel && [t.transaction.channel, made.channel],
            [t.transaction.recorded, html`${minute(made.recorded_at)}, <${Who} id=${made.recorded_by} me=${user} loan=${loan} />`],
            [t.receipt.number, html`<code>${made.id}</code>`],
          ]}
        />
      </article>`}
    <//>`;
}
