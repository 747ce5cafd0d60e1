/** Commands on money: pay out, take a payment, charge, waive, refund, reschedule, write off. */
import { call } from "../api.js";
import { amount, date, isZero, today } from "../format.js";
import { Loaded, useLoad } from "../load.js";
import { whole } from "../forms.js";
import { open } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Command } from "./command.js";
import { dueOf } from "./due.js";

const onDay = (name, label) => ({ name, label, type: "date", value: today(), max: today() });
const reason = { name: "reason", label: t.reason, type: "textarea" };
const money = (loan) => ({ name: "amount", label: t.commands.amountIn(loan.currency), inputmode: "decimal", autocomplete: "off" });

/** A command whose body is its fields. */
function Plain({ name, operation, loan, close, fields, change = (body) => body, danger, about }) {
  const words = t.commands.texts[name];
  const what = t.commands.about(amount(loan.amount, loan.currency), loan.borrower_username);
  return html`<${Command}
    title=${t.commands[name]}
    about=${about ?? words.about(what)}
    button=${words.button}
    danger=${danger}
    close=${close}
    fields=${fields}
    send=${async (values, keyOf) => {
      const body = change(values);
      const made = await call(operation, { path: { id: loan.id }, body, key: keyOf(body) });
      return words.done(what, amount(made.amount, made.currency));
    }}
  />`;
}

function Repay({ loan, close }) {
  const words = t.commands.texts.repay;
  const found = useLoad(async (signal) => {
    const path = { id: loan.id };
    const [schedule, settlement] = await Promise.all([
      call("GET /api/loans/{id}/schedule", { path, signal }),
      loan.status === "disbursed" ? call("GET /api/loans/{id}/settlement", { path, signal }) : null,
    ]);
    return { due: dueOf(schedule), settlement };
  }, []);
  const shortcuts = ({ due, settlement }) =>
    [
      !isZero(due.both) && [words.dueNow, due.both],
      due.next && [words.next(date(due.next.due_on)), due.next.outstanding],
      settlement && !isZero(settlement.total) && [words.close, settlement.total],
    ].filter(Boolean);
  const fields = [
    money(loan),
    onDay("paid_on", t.commands.paidOn),
    { name: "reference", label: t.transaction.reference, optional: true, autocomplete: "off" },
    { name: "channel", label: t.transaction.channel, hint: words.channelHint, optional: true },
  ];
  return html`<${Command}
    title=${t.commands.repay}
    about=${words.about(loan.borrower_username, loan.pay_ref)}
    button=${words.button}
    close=${close}
    fields=${fields}
    send=${async (body, keyOf) => {
      const path = { id: loan.id };
      const made = await call("POST /api/loans/{id}/repayments", { path, body, key: keyOf(body) });
      open(`/desk/receipts/${loan.id}/${made.id}`);
      return words.done(amount(made.amount, made.currency));
    }}
    >${(form) => html`<${Loaded} of=${found} lines=${1}>
      ${(data) => html`<div class="actions shortcuts">
        ${shortcuts(data).map(
          ([text, value]) =>
            html`<button key=${text} type="button" class="small" onClick=${() => form.set("amount", value)}>${text} <b>${amount(value, loan.currency)}</b></button>`,
        )}
      </div>`}
    <//>`}<//
  >`;
}

const FORMS = {
  disburse: ({ loan }) => ({
    operation: "POST /api/loans/{id}/disbursements",
    fields: [
      onDay("disbursed_on", t.commands.disbursedOn),
      { name: "first_due_on", label: t.terms.first_due_on, type: "date", optional: true, hint: t.commands.texts.disburse.firstHint },
      { name: "reference", label: t.transaction.reference, optional: true, hint: t.commands.texts.disburse.referenceHint },
    ],
  }),
  refund: ({ loan }) => ({
    operation: "POST /api/loans/{id}/refund",
    fields: [{ ...money(loan), value: loan.held }, onDay("paid_on", t.commands.paidOn)],
  }),
  charge: ({ loan }) => ({
    operation: "POST /api/loans/{id}/charges",
    fields: [
      { name: "kind", label: t.commands.chargeKind, options: Object.entries(t.commands.chargeKinds), value: "fee" },
      { name: "code", label: t.commands.chargeCode, hint: t.commands.chargeCodeHint },
      money(loan),
      { ...onDay("due_on", t.commands.dueOn), max: undefined },
    ],
  }),
  waive: ({ loan }) => ({
    operation: "POST /api/loans/{id}/waivers",
    fields: [
      { name: "component", label: t.commands.component, options: Object.entries(t.commands.waivable), value: "penalty" },
      money(loan),
      onDay("on", t.commands.on),
      reason,
    ],
  }),
  reschedule: ({ loan }) => ({
    operation: "POST /api/loans/{id}/reschedule",
    fields: [
      { name: "from", label: t.commands.from, type: "date", value: loan.next_due_on ?? "", hint: t.commands.texts.reschedule.from },
      { name: "instalments", label: t.terms.instalments, inputmode: "numeric", optional: true, hint: t.commands.texts.reschedule.hint },
      { name: "interest_rate_apr", label: t.terms.interest_rate_apr, inputmode: "decimal", optional: true, hint: t.commands.texts.reschedule.rate(loan.interest_rate_apr) },
      { name: "first_due_on", label: t.terms.first_due_on, type: "date", optional: true },
      reason,
    ],
    change: (body) => ("instalments" in body ? { ...body, instalments: whole(body.instalments) } : body),
  }),
  writeOff: ({ loan }) => ({
    operation: "POST /api/loans/{id}/write-off",
    danger: true,
    about: t.commands.texts.writeOff.about(amount(loan.outstanding, loan.currency), loan.borrower_username),
    fields: [onDay("on", t.commands.on), reason],
  }),
};

export default function Service(properties) {
  if (properties.name === "repay") return html`<${Repay} ...${properties} />`;
  return html`<${Plain} ...${properties} ...${FORMS[properties.name](properties)} />`;
}
