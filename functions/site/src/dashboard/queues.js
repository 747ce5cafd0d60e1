/** What waits for an admin: loans and agents. */
import { agentName, loadAgents } from "./agents.js";
import { askForDecision, decided, decisions } from "./decisions.js";
import { detail, element, fill } from "./elements.js";
import { grouped, minute, rhythm } from "./format.js";
import { Refusal } from "./interface.js";
import { showOverview } from "./overview.js";
import { ask, view } from "./session.js";

/** A loan's cells in the queue. */
export function loanCells(loan, row) {
  const { terms } = loan;
  const who = `${loan.borrower_username}, ${grouped(loan.amount)} ${loan.currency}`;
  const plan = `${terms.instalments} × ${grouped(loan.instalment)}, ${rhythm(terms)}`;
  return [
    loan.borrower_username,
    element("div", {}, `${grouped(loan.amount)} ${loan.currency}`, detail(loan.product)),
    element("div", {}, plan, detail(`${loan.interest_rate_apr} % a year, ${grouped(loan.total_due)} in all`)),
    agentName(loan.agent_id),
    minute(loan.created_at),
    decisions(who, (action) => decideLoan(loan, row, action)),
  ];
}

function decideLoan(loan, row, action) {
  const about = `${grouped(loan.amount)} ${loan.currency} for ${loan.borrower_username}`;
  askForDecision(action, "loan", about, async (reason) => {
    const headers = { "If-Match": `"${loan.version}"` };
    try {
      await ask("POST", `/api/loans/${loan.id}/${action}`, { body: reason ? { reason } : {}, headers });
    } catch (error) {
      if (!(error instanceof Refusal) || ![404, 409, 412].includes(error.status)) throw error;
      // The dialog was about a loan that is not like that any more.
      return overtaken(error, loan.id, row, about);
    }
    const show = () => {
      view.pendingLoans.remove(row);
      showOverview();
    };
    return { told: `${decided(action)}: ${about}.`, show };
  });
}

/** What to tell and to show of a loan on which a decision was refused since it is not what it was. */
async function overtaken(refusal, id, row, about) {
  let loan = null;
  try {
    loan = await ask("GET", `/api/loans/${id}`);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 404) throw error;
  }
  if (loan?.status === "pending") {
    const changed =
      "The loan has been changed in the meantime. It is shown as it is now: look at it again, then decide.";
    const show = () => {
      fill(row, view.pendingLoans.table, loanCells(loan, row));
      row.classList.add("changed");
      view.pendingLoans.focus(row);
    };
    return { told: refusal.status === 412 ? changed : refusal.message, show };
  }
  const show = () => {
    view.pendingLoans.remove(row);
    showOverview();
  };
  const now = loan ? `is ${loan.status} by now` : "is not there any more";
  return { told: `${about}: this loan ${now}. What you decided was not recorded.`, show };
}

export function agentCells(agent, row) {
  const name = agent.full_name ?? agent.username;
  const actions = decisions(name, (action) => decideAgent(agent, row, action));
  return [name, agent.username, agent.email, agent.phone, minute(agent.created_at), actions];
}

function decideAgent(agent, row, action) {
  const about = agent.full_name ? `${agent.full_name} (${agent.username})` : agent.username;
  askForDecision(action, "agent", about, async (reason) => {
    try {
      await ask("POST", `/api/agents/${agent.id}/${action}`, { body: reason ? { reason } : {} });
    } catch (error) {
      if (!(error instanceof Refusal) || ![404, 409].includes(error.status)) throw error;
      const now = error.status === 404 ? "is not there any more" : "does not wait for a decision any more";
      const show = () => view.pendingAgents.remove(row);
      return { told: `${about} ${now}. What you decided was not recorded.`, show };
    }
    const show = () => {
      view.pendingAgents.remove(row);
      loadAgents();
    };
    return { told: `${decided(action)}: ${about}.`, show };
  });
}

export function showLoans() {
  return view.pendingLoans.show({ status: "pending", sort: "created_at" });
}

export function showPendingAgents() {
  return view.pendingAgents.show({ status: "pending" });
}
