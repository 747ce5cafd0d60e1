/** The payments taken on this device: what became of each, and what to do about those that were refused. */
import { openDialog } from "../dialog.js";
import { Amount, amount, date, minute } from "../format.js";
import { Heading } from "../layout.js";
import { Table } from "../lists.js";
import { Empty, Loaded, useLoad } from "../load.js";
import { change, changes, isOpen, needsCare, payments, remove, take } from "../queue.js";
import { useStore } from "../router.js";
import { send } from "../sender.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Command } from "./command.js";

/** The payments of a user, as they are now. */
export function usePayments(user) {
  const turn = useStore(changes);
  return useLoad(() => payments(user), [user.id, turn]);
}

/** The state of a payment. */
export const State = ({ of: payment }) =>
  html`<div>
    <span class="status ${{ recorded: "active", refused: "rejected", unsure: "rejected" }[payment.state] ?? "pending"}">${t.queue.states[payment.state]}</span>
    ${payment.problem && payment.state === "refused" && html`<span class="detail">${payment.problem}</span>`}
    ${payment.state === "unsure" && html`<span class="detail">${t.queue.unsureAbout(payment.reference)}</span>`}
  </div>`;

function Remove({ payment, close }) {
  const what = `${amount(payment.amount, payment.currency)}, ${payment.customer}`;
  return html`<${Command}
    title=${t.queue.remove}
    about=${t.queue.removeAbout(what)}
    button=${t.queue.remove}
    danger
    close=${close}
    send=${async () => {
      await remove(payment.key);
      return t.queue.removed(what);
    }}
  />`;
}

/** Sends a payment once more. One that was sent too long ago goes under a new key: its reader has looked for it. */
async function again(user, payment) {
  if (payment.state === "unsure") {
    const { loan_id, customer, pay_ref, amount: value, currency, paid_on } = payment;
    await take(user, { loan_id, customer, pay_ref, amount: value, currency, paid_on });
    await remove(payment.key);
  } else {
    await change([payment.key], () => ({ state: "waiting", problem: null }));
  }
  await send(user);
}

export default function Queue({ user }) {
  const found = usePayments(user);
  const columns = [
    { label: t.loan.customer, head: true, cell: (it) => html`<a href="/desk/loans/${it.loan_id}">${it.customer}</a>` },
    { label: t.loan.amount, number: true, cell: (it) => html`<${Amount} of=${it.amount} currency=${it.currency} />` },
    { label: t.queue.paidOn, cell: (it) => html`<span class="nobreak">${date(it.paid_on)}</span>` },
    { label: t.queue.takenAt, cell: (it) => html`<span class="nobreak">${minute(it.taken_at)}</span>` },
    { label: t.loan.status, cell: (it) => html`<${State} of=${it} />` },
    {
      label: t.transaction.actions,
      actions: true,
      cell: (it) => html`<div class="actions">
        <a class="button small" href="/desk/taken/${it.key}" aria-label=${t.transaction.receiptOf(date(it.paid_on), amount(it.amount, it.currency))}>${t.transaction.receipt}</a>
        ${needsCare(it) &&
        html`<button type="button" class="small" onClick=${() => again(user, it)} aria-label=${t.queue.againOf(it.customer)}>${it.state === "unsure" ? t.queue.asNew : t.retry}</button>
          <button type="button" class="small danger" onClick=${() => openDialog((close) => html`<${Remove} payment=${it} close=${close} />`)} aria-label=${t.queue.removeOf(it.customer)}>${t.queue.remove}</button>`}
      </div>`,
    },
  ];
  const isWaiting = found.data?.some(isOpen);
  return html`<${Heading} text=${t.nav.queue}>
      ${isWaiting && html`<button type="button" class="primary" onClick=${() => send(user)}>${t.queue.send}</button>`}
    <//>
    <p class="muted">${t.queue.about}</p>
    <${Loaded} of=${found}>
      ${(list) => (list.length ? html`<${Table} label=${t.nav.queue} rows=${list} columns=${columns} keyOf=${(it) => it.key} />` : html`<${Empty}>${t.queue.none}<//>`)}
    <//>`;
}
