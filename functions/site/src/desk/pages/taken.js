/** The receipt of a payment taken on this device: unconfirmed until the server has recorded it. */
import { Facts } from "../facts.js";
import { amount, date, minute } from "../format.js";
import { Heading } from "../layout.js";
import { Loaded } from "../load.js";
import { nameOf } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { State, usePayments } from "./queue.js";

export default function Taken({ path: { key }, user }) {
  const found = usePayments(user);
  return html`<${Heading} text=${t.receipt.title}>
      <button type="button" class="primary" onClick=${() => print()}>${t.print}</button>
      <a class="button" href="/desk/collections">${t.nav.collections}</a>
    <//>
    <${Loaded} of=${found} lines=${6}>
      ${(list) => {
        const payment = list.find((it) => it.key === key);
        if (!payment) return html`<p>${t.missing.about}</p>`;
        return html`<article class="receipt">
          <p class="over">${t.kinds.repayment}</p>
          <p class="total">${amount(payment.amount, payment.currency)}</p>
          <${State} of=${payment} />
          ${payment.state !== "recorded" && html`<p class="late">${t.queue.unconfirmed}</p>`}
          <${Facts}
            of=${[
              [t.loan.customer, payment.customer],
              [t.loan.payRef, html`<code class="reference">${payment.pay_ref}</code>`],
              [t.queue.paidOn, date(payment.paid_on)],
              [t.queue.takenAt, `${minute(payment.taken_at)}, ${nameOf(user)}`],
              [t.transaction.reference, html`<code>${payment.reference}</code>`],
              payment.transaction_id && [t.receipt.number, html`<a href="/desk/receipts/${payment.loan_id}/${payment.transaction_id}"><code>${payment.transaction_id}</code></a>`],
            ]}
          />
        </article>`;
      }}
    <//>`;
}
