/** An admin's commands on a customer, on an agent's book, and on a loan's agent: verify, assign, hand over. */
import { call } from "../api.js";
import { amount } from "../format.js";
import { nameOf } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { AgentField } from "./agent-choice.js";
import { Command } from "./command.js";

function Verify({ customer, close }) {
  const words = t.kyc.verify;
  return html`<${Command}
    title=${words.title}
    about=${words.about(nameOf(customer))}
    button=${words.button}
    close=${close}
    fields=${[
      { name: "status", label: t.kyc.finding, options: ["verified", "refused"].map((it) => [it, t.status[it]]), value: "verified" },
      { name: "expires_on", label: t.kyc.expires_on, type: "date", optional: true },
      { name: "reason", label: t.reason, type: "textarea", optional: true },
    ]}
    send=${async (body) => {
      await call("POST /api/customers/{id}/kyc", { path: { id: customer.id }, body });
      return words.done(nameOf(customer));
    }}
  />`;
}

function AssignCustomer({ customer, close }) {
  const words = t.assign.customer;
  return html`<${Command}
    title=${words.title}
    about=${words.about(nameOf(customer))}
    button=${t.assign.button}
    close=${close}
    send=${async ({ agent_id = null }) => {
      await call("PATCH /api/users/{id}", { path: { id: customer.id }, body: { agent_id } });
      return words.done(nameOf(customer));
    }}
    >${(form) => html`<${AgentField} form=${form} name="agent_id" label=${t.agents.agent} none=${t.customers.noAgent} except=${customer.agent_id} />`}<//
  >`;
}

function AssignLoan({ loan, close }) {
  const words = t.assign.loan;
  const what = t.commands.about(amount(loan.amount, loan.currency), loan.borrower_username);
  return html`<${Command}
    title=${t.commands.assign}
    about=${words.about(what)}
    button=${t.assign.button}
    close=${close}
    send=${async (body) => {
      await call("POST /api/loans/{id}/assign", { path: { id: loan.id }, body });
      return words.done(what);
    }}
    >${(form) => html`<${AgentField} form=${form} name="agent_id" label=${t.agents.agent} except=${loan.agent_id} />`}<//
  >`;
}

function HandOver({ agent, close }) {
  const words = t.assign.book;
  return html`<${Command}
    title=${words.title}
    about=${words.about(nameOf(agent))}
    button=${words.button}
    danger
    close=${close}
    fields=${[
      { name: "customers", label: words.customers, type: "checkbox", value: true },
      { name: "loans", label: words.loans, type: "checkbox", value: true },
    ]}
    send=${async (body) => {
      const { customers, loans } = await call("POST /api/agents/{id}/reassign", { path: { id: agent.id }, body });
      return words.done(customers, loans);
    }}
    >${(form) => html`<${AgentField} form=${form} name="to" label=${words.to} except=${agent.id} />`}<//
  >`;
}

const COMMANDS = { verify: Verify, assignCustomer: AssignCustomer, assign: AssignLoan, handOver: HandOver };

/** A command by its name: `assign` is a loan's, as in its list of commands. */
export default function CustomerCommand({ name, ...properties }) {
  return html`<${COMMANDS[name]} ...${properties} />`;
}
