/** An admin's commands on a payment: apply it to a loan, give it back, tell where it came from, put it right. */
import { Refusal, call } from "../api.js";
import { amount, today } from "../format.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Command } from "./command.js";

const reason = { name: "reason", label: t.reason, type: "textarea" };
const money = (payment, value = "") => ({ name: "amount", label: t.commands.amountIn(payment.currency), inputmode: "decimal", autocomplete: "off", value });

/** The loan that has a reference of payment. */
async function loanOf(reference) {
  const wrong = (detail) => new Refusal(422, { detail, errors: [{ pointer: "/pay_ref", code: "invalid", detail }] });
  if (!reference) throw wrong(t.payments.apply.needed);
  const { data } = await call("GET /api/loans", { query: { pay_ref: reference.replace(/[\s-]|^#/g, "") } });
  if (data.length === 0) throw wrong(t.payments.apply.unknown);
  return data[0].id;
}

const FORMS = {
  apply: ({ payment, loan }) => ({
    fields: [
      ...(loan ? [] : [{ name: "pay_ref", label: t.loan.payRef, inputmode: "numeric", autocomplete: "off" }]),
      money(payment, payment.unapplied),
      { name: "on", label: t.payments.apply.on, type: "date", min: payment.paid_on, max: today(), hint: t.payments.apply.onHint, optional: true },
    ],
    send: async ({ pay_ref: reference, ...values }, keyOf) => {
      const body = { ...values, loan_id: loan?.loan_id ?? (await loanOf(reference)) };
      const made = await call("POST /api/payments/{id}/apply", { path: { id: payment.id }, body, key: keyOf(body) });
      return amount(made.amount, made.currency);
    },
  }),
  giveBack: ({ payment }) => ({
    fields: [
      money(payment, payment.unapplied),
      { name: "paid_on", label: t.payments.giveBack.on, type: "date", value: today(), min: payment.paid_on, max: today() },
      { name: "reference", label: t.transaction.reference, optional: true, autocomplete: "off" },
      reason,
    ],
    send: async (body, keyOf) => {
      await call("POST /api/payments/{id}/return", { path: { id: payment.id }, body, key: keyOf(body) });
      return amount(body.amount, payment.currency);
    },
  }),
  transfer: ({ payment }) => ({
    fields: [{ name: "from", label: t.payments.transfer.from, autocomplete: "off" }, reason],
    send: async (body, keyOf) => {
      await call("POST /api/payments/{id}/transfer", { path: { id: payment.id }, body, key: keyOf(body) });
      return amount(payment.unapplied, payment.currency);
    },
  }),
  correct: ({ payment }) => ({
    fields: [{ ...money(payment, payment.amount), label: t.payments.correct.amount(payment.currency) }, reason],
    send: async (body, keyOf) => {
      const made = await call("POST /api/payments/{id}/correction", { path: { id: payment.id }, body, key: keyOf(body) });
      return amount(made.amount, made.currency);
    },
  }),
};

export default function PaymentCommand({ name, close, payment, loan }) {
  const words = t.payments[name];
  const { fields, send } = FORMS[name]({ payment, loan });
  return html`<${Command}
    title=${words.title}
    about=${words.about(amount(payment.unapplied, payment.currency), loan?.borrower_username)}
    button=${words.button}
    danger=${name === "giveBack"}
    close=${close}
    fields=${fields}
    send=${async (values, keyOf) => words.done(await send(values, keyOf))}
  />`;
}
