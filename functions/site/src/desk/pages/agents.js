/** Agents: those who wait for approval, then all. */
import { call } from "../api.js";
import { openDialog } from "../dialog.js";
import { Choice, Status } from "../facts.js";
import { minute } from "../format.js";
import { Heading, Section } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { Mail, Phone, nameOf } from "../people.js";
import { useQuery } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Command } from "./command.js";
import { Search } from "./search.js";

const OPERATIONS = { approve: "POST /api/agents/{id}/approve", reject: "POST /api/agents/{id}/reject" };

/** A decision on an agent. */
export function AgentDecision({ agent, action, close }) {
  const words = t.agents[action];
  const about = agent.full_name ? `${agent.full_name} (${agent.username})` : agent.username;
  return html`<${Command}
    title=${words.title}
    about=${words.about(about)}
    button=${words.button}
    danger=${action === "reject"}
    close=${close}
    fields=${[{ name: "reason", label: t.reason, type: "textarea", optional: true }]}
    send=${async (body) => {
      await call(OPERATIONS[action], { path: { id: agent.id }, body });
      return words.done(about);
    }}
  />`;
}

/** The buttons of the decisions that an agent's status allows. */
export function AgentActions({ agent }) {
  const decide = (action) => openDialog((close) => html`<${AgentDecision} agent=${agent} action=${action} close=${close} />`);
  const button = (action, kind) =>
    html`<button type="button" class=${kind} aria-label="${t.agents[action].button} ${nameOf(agent)}" onClick=${() => decide(action)}>${t.agents[action].button}</button>`;
  if (agent.status === "pending") return html`<div class="actions">${button("approve", "primary")}${button("reject", "danger")}</div>`;
  return agent.status === "rejected" ? html`<div class="actions">${button("approve", "")}</div>` : null;
}

const who = [
  { label: t.agents.agent, head: true, cell: (agent) => html`<a href="/desk/agents/${agent.id}">${nameOf(agent)}</a>` },
  { label: t.person.username, cell: (agent) => agent.username },
  { label: t.person.email, cell: (agent) => html`<${Mail} address=${agent.email} />` },
  { label: t.person.phone, cell: (agent) => html`<${Phone} number=${agent.phone} />` },
  { label: t.agents.registered, cell: (agent) => html`<span class="nobreak">${minute(agent.created_at)}</span>` },
];

const pending = [...who, { label: t.applications.decide, actions: true, cell: (agent) => html`<${AgentActions} agent=${agent} />` }];
const others = [...who, { label: t.loan.status, cell: (agent) => html`<${Status} of=${agent.status} />` }];

export default function Agents() {
  const [status, setStatus] = useQuery("status", "active");
  const [q] = useQuery("q");
  const waiting = usePages("GET /api/agents", { query: { status: "pending" } });
  const all = usePages("GET /api/agents", { query: { status, q } });
  const statuses = ["active", "suspended", "rejected"].map((it) => [it, t.status[it]]);
  return html`<${Heading} text=${t.nav.agents} />
    <${Section} title=${t.agents.waiting}>
      <${Paged} of=${waiting} label=${t.agents.waiting} columns=${pending} empty=${t.agents.noneWaiting} />
    <//>
    <${Section} title=${t.agents.all}>
      <div class="filters">
        <${Search} label=${t.search} />
        <${Choice} label=${t.loan.status} value=${status} onChange=${setStatus} options=${statuses} />
      </div>
      <${Paged} of=${all} label=${t.agents.all} columns=${others} empty=${t.agents.none} />
    <//>`;
}
