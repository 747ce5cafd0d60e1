/**
 * An agent's collections of today, kept on the device: they can be looked at, and payments can be taken, without a
 * network. Each payment goes into the queue first, and from there to the server.
 */
import { Refusal, callAll } from "../api.js";
import { openDialog } from "../dialog.js";
import { Amount, amount, isZero, minute, sum, today } from "../format.js";
import { Table } from "../lists.js";
import { Empty, Loaded, useLoad } from "../load.js";
import { Phone } from "../people.js";
import { keepCollections, keptCollections, take } from "../queue.js";
import { open } from "../router.js";
import { send } from "../sender.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Command } from "./command.js";
import { usePayments } from "./queue.js";

/** The collections of today: from the server, or as they are kept. */
async function collections(user, on, signal) {
  try {
    const rows = await callAll("GET /api/collections", { query: { on }, signal });
    await keepCollections(user, on, rows).catch((error) => console.warn(error));
    return { rows, at: null };
  } catch (error) {
    const isAway = error instanceof Refusal && error.status === 0;
    const kept = isAway ? await keptCollections(user, on) : null;
    if (!kept) throw error;
    return kept;
  }
}

/** Amounts as the interface takes them. */
const AMOUNT = /^\d+(\.\d+)?$/;

function Take({ row, user, close }) {
  const both = sum([row.due, row.overdue]);
  const name = row.full_name ?? row.customer;
  const wrong = (detail) => new Refusal(422, { detail, errors: [{ pointer: "/amount", code: "invalid", detail }] });
  return html`<${Command}
    title=${t.commands.repay}
    about=${t.commands.texts.repay.about(name, row.pay_ref)}
    button=${t.queue.take}
    close=${close}
    fields=${[
      { name: "amount", label: t.commands.amountIn(row.currency), inputmode: "decimal", autocomplete: "off", value: isZero(both) ? "" : both },
      { name: "paid_on", label: t.commands.paidOn, type: "date", value: today(), max: today() },
    ]}
    send=${async ({ amount: value = "", paid_on = today() }) => {
      const decimals = (row.due.split(".")[1] ?? "").length;
      if (!AMOUNT.test(value) || isZero(value)) throw wrong(t.queue.amountHint);
      if ((value.split(".")[1] ?? "").length > decimals) throw wrong(t.queue.decimals(decimals, row.currency));
      const { loan_id, pay_ref, currency } = row;
      // With all decimals of the currency, as the row's amounts have them.
      const whole = sum([value, row.due.replace(/\d/g, "0")]);
      const payment = await take(user, { loan_id, customer: name, pay_ref, amount: whole, currency, paid_on });
      send(user);
      open(`/desk/taken/${payment.key}`);
      return t.queue.taken(amount(whole, currency));
    }}
  />`;
}

const money = (name) => (row) => (isZero(row[name]) ? t.none : html`<span class=${name === "overdue" ? "late" : ""}><${Amount} of=${row[name]} currency=${row.currency} /></span>`);

/** The route list of an agent. */
export function RouteList({ user, on }) {
  const found = useLoad((signal) => collections(user, on, signal), [user.id, on]);
  const taken = usePayments(user).data ?? [];
  const ofLoan = (row) => taken.filter(({ loan_id: id, paid_on: day, state }) => id === row.loan_id && day === on && state !== "refused");
  const columns = [
    { label: t.loan.customer, head: true, cell: (row) => html`<a href="/desk/loans/${row.loan_id}">${row.full_name ?? row.customer}</a>` },
    { label: t.person.phone, cell: (row) => html`<${Phone} number=${row.phone} />` },
    { label: t.collections.due, number: true, cell: money("due") },
    { label: t.loan.overdue, number: true, cell: money("overdue") },
    { label: t.loan.late, number: true, cell: (row) => (row.days_past_due > 0 ? t.days(row.days_past_due) : t.none) },
    { label: t.loan.payRef, cell: (row) => html`<code>${row.pay_ref}</code>` },
    {
      label: t.transaction.actions,
      actions: true,
      cell: (row) => html`<div class="actions">
        ${ofLoan(row).map((it) => html`<a key=${it.key} class="status active" href="/desk/taken/${it.key}">${t.queue.tookIt(amount(it.amount, it.currency))}</a>`)}
        <button type="button" aria-label=${t.queue.takeFrom(row.full_name ?? row.customer)} onClick=${() => openDialog((close) => html`<${Take} row=${row} user=${user} close=${close} />`)}>${t.queue.take}</button>
      </div>`,
    },
  ];
  return html`<${Loaded} of=${found}>
    ${({ rows, at }) => html`
      ${at && html`<p class="late" role="status">${t.queue.kept(minute(at))}</p>`}
      ${rows.length ? html`<${Table} label=${t.nav.collections} rows=${rows} columns=${columns} keyOf=${(row) => row.loan_id} />` : html`<${Empty}>${t.collections.none}<//>`}
    `}
  <//>`;
}
