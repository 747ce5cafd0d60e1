/** The history of a loan: each version with what changed, by whom and why. */
import { call } from "../api.js";
import { openDialog } from "../dialog.js";
import { Status } from "../facts.js";
import { amount, minute, number, rate, rhythm } from "../format.js";
import { Paged, usePages } from "../lists.js";
import { Who } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Command } from "./command.js";

/** The value of a changed field in words. */
function told(field, state, user, loan) {
  if (field === "status") return html`<${Status} of=${state.status} />`;
  if (["amount", "instalment", "total_interest", "total_due"].includes(field)) return number(state[field]);
  if (field === "interest_rate_apr") return rate(state.interest_rate_apr);
  if (field === "agent_id") return html`<${Who} id=${state.agent_id} me=${user} loan=${loan} />`;
  if (field === "terms") return `${state.terms.instalments} ×, ${rhythm(state.terms)}`;
  const value = state[field];
  return value === null || value === undefined || typeof value === "object" ? t.history.changed : String(value);
}

function Revert({ loan, entry, close }) {
  const about = t.history.revertAbout(entry.version, amount(entry.state.amount, entry.state.currency), rate(entry.state.interest_rate_apr));
  return html`<${Command}
    title=${t.history.revert}
    about=${about}
    button=${t.history.revert}
    close=${close}
    fields=${[{ name: "reason", label: t.reason, type: "textarea" }]}
    send=${async (values) => {
      const body = { ...values, version: entry.version };
      await call("POST /api/loans/{id}/revert", { path: { id: loan.id }, version: loan.version, body });
      return t.history.reverted(entry.version);
    }}
  />`;
}

export default function History({ loan, user, query }) {
  const list = usePages("GET /api/loans/{id}/history", { path: { id: loan.id }, query });
  const mayRevert = user.role === "agent" && ["pending", "rejected"].includes(loan.status) && !query.as_of && !query.known_at;
  const columns = [
    { label: t.history.version, number: true, cell: (entry) => entry.version },
    {
      label: t.history.action,
      head: true,
      cell: (entry) => html`<div>${t.actions[entry.action]}${entry.reason && html`<span class="detail">“${entry.reason}”</span>`}</div>`,
    },
    {
      label: t.history.changes,
      cell: (entry) =>
        html`<dl class="changes">
          ${entry.changed.map((field) => html`<div key=${field}><dt>${t.fields[field] ?? field}</dt><dd>${told(field, entry.state, user, loan)}</dd></div>`)}
        </dl>`,
    },
    { label: t.history.by, cell: (entry) => html`<${Who} id=${entry.by} me=${user} loan=${loan} />` },
    { label: t.history.at, cell: (entry) => html`<span class="nobreak">${minute(entry.at)}</span>` },
    mayRevert && {
      label: t.transaction.actions,
      actions: true,
      cell: (entry) =>
        entry.version < loan.version &&
        html`<button type="button" class="small" aria-label=${t.history.revertTo(entry.version)} onClick=${() => openDialog((close) => html`<${Revert} loan=${loan} entry=${entry} close=${close} />`)}>${t.history.revert}</button>`,
    },
  ].filter(Boolean);
  return html`<${Paged} of=${list} label=${t.loan.tabs.history} columns=${columns} empty=${t.history.none} keyOf=${(entry) => entry.version} />`;
}
