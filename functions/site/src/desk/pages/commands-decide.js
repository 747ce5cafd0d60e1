/** Commands before money moves: decide, edit, forward, withdraw. */
import { call } from "../api.js";
import { amount, number, plan, rate } from "../format.js";
import { whole } from "../forms.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Command } from "./command.js";

const reason = (optional) => ({ name: "reason", label: t.reason, type: "textarea", optional });

const about = (loan) => t.commands.about(amount(loan.amount, loan.currency), loan.borrower_username);

/** The commands that need a reason at most: operation, if it is required, if the version is sent. */
const SIMPLE = {
  approve: { operation: "POST /api/loans/{id}/approve", optional: true, versioned: true },
  reject: { operation: "POST /api/loans/{id}/reject", versioned: true, danger: true },
  undoApproval: { operation: "POST /api/loans/{id}/undo-approval" },
  withdraw: { operation: "POST /api/loans/{id}/withdraw", optional: true, danger: true },
};

function Simple({ name, loan, close }) {
  const { operation, optional, versioned, danger } = SIMPLE[name];
  const words = t.commands.texts[name];
  return html`<${Command}
    title=${t.commands[name]}
    about=${words.about(about(loan), `${plan(loan)}, ${rate(loan.interest_rate_apr)}`)}
    button=${words.button}
    danger=${danger}
    close=${close}
    fields=${[reason(optional)]}
    send=${async (body) => {
      await call(operation, { path: { id: loan.id }, body, version: versioned ? loan.version : undefined });
      return words.done(about(loan));
    }}
  />`;
}

function Forward({ loan, close }) {
  const words = t.commands.texts.forward;
  return html`<${Command}
    title=${t.commands.forward}
    about=${words.about(about(loan))}
    button=${words.button}
    close=${close}
    fields=${[{ name: "note", label: t.commands.note, type: "textarea", optional: true }]}
    send=${async (body) => {
      await call("POST /api/loans/{id}/forward", { path: { id: loan.id }, body });
      return words.done(about(loan));
    }}
  />`;
}

function Edit({ loan, close }) {
  const words = t.commands.texts.edit;
  const before = {
    amount: loan.amount,
    instalments: String(loan.terms.instalments),
    interest_rate_apr: loan.interest_rate_apr,
    product: loan.product,
  };
  const fields = [
    { name: "amount", label: t.commands.amountIn(loan.currency), inputmode: "decimal", value: before.amount },
    { name: "instalments", label: t.terms.instalments, inputmode: "numeric", value: before.instalments },
    { name: "interest_rate_apr", label: t.terms.interest_rate_apr, inputmode: "decimal", value: before.interest_rate_apr },
    { name: "product", label: t.loan.product, value: before.product },
    reason(true),
  ];
  const isOther = ([name, value]) => value !== before[name];
  return html`<${Command}
    title=${t.commands.edit}
    about=${loan.status === "rejected" ? words.resubmit : words.about(about(loan))}
    button=${loan.status === "rejected" ? words.resubmitButton : words.button}
    close=${close}
    fields=${fields}
    send=${async (values) => {
      const body = Object.fromEntries(Object.entries(values).filter(isOther));
      if (body.instalments) body.instalments = whole(body.instalments);
      const now = await call("PATCH /api/loans/{id}", { path: { id: loan.id }, body, version: loan.version });
      return words.done(amount(now.amount, now.currency), number(now.instalment));
    }}
  />`;
}

export default function Decide(properties) {
  const { name } = properties;
  if (name === "edit") return html`<${Edit} ...${properties} />`;
  if (name === "forward") return html`<${Forward} ...${properties} />`;
  return html`<${Simple} ...${properties} />`;
}
