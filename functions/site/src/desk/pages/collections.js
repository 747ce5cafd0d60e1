/** Collections: what to collect on a day, those due first, then the longest overdue. */
import { callAll } from "../api.js";
import { Choice, DateChoice } from "../facts.js";
import { Amount, isZero, today } from "../format.js";
import { Heading } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { useLoad } from "../load.js";
import { Phone } from "../people.js";
import { useQuery } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { RouteList } from "./route.js";

const money = (name) => (row) =>
  isZero(row[name]) ? t.none : html`<span class=${name === "overdue" ? "late" : ""}><${Amount} of=${row[name]} currency=${row.currency} /></span>`;

const columns = [
  {
    label: t.loan.customer,
    head: true,
    cell: (row) => html`<a href="/desk/loans/${row.loan_id}">${row.full_name ?? row.customer}</a>`,
  },
  { label: t.person.phone, cell: (row) => html`<${Phone} number=${row.phone} />` },
  { label: t.collections.due, number: true, cell: money("due") },
  { label: t.loan.overdue, number: true, cell: money("overdue") },
  { label: t.loan.late, number: true, cell: (row) => (row.days_past_due > 0 ? t.days(row.days_past_due) : t.none) },
  { label: t.loan.payRef, cell: (row) => html`<code>${row.pay_ref}</code>` },
];

/** The list of a day. */
export function Collections({ on, agent, bucket, rows = 25 }) {
  const list = usePages("GET /api/collections", { query: { on, agent_id: agent, bucket } }, rows);
  return html`<${Paged} of=${list} label=${t.nav.collections} columns=${columns} keyOf=${(row) => row.loan_id} empty=${t.collections.none} />`;
}

function AgentChoice() {
  const [agent, setAgent] = useQuery("agent");
  const agents = useLoad((signal) => callAll("GET /api/agents", { signal }), []);
  const working = (agents.data ?? []).filter(({ status }) => status === "active" || status === "suspended");
  return html`<${Choice} label=${t.loan.agent} value=${agent} onChange=${setAgent} options=${[["", t.all], ...working.map(({ id, username }) => [id, username])]} />`;
}

/** An agent's own page: today's list works without a network; other days are looked at only. */
function AgentsPage({ user }) {
  const [on, setOn] = useQuery("on", today());
  return html`<${Heading} text=${t.nav.collections} />
    <div class="filters"><${DateChoice} label=${t.collections.on} value=${on} onChange=${setOn} /></div>
    ${on === today() ? html`<${RouteList} user=${user} on=${on} />` : html`<${Collections} on=${on} />`}`;
}

export default function CollectionsPage({ user }) {
  return user.role === "agent" ? html`<${AgentsPage} user=${user} />` : html`<${AdminsPage} />`;
}

function AdminsPage() {
  const [on, setOn] = useQuery("on", today());
  const [bucket, setBucket] = useQuery("bucket");
  const [agent] = useQuery("agent");
  return html`<${Heading} text=${t.nav.collections} />
    <div class="filters">
      <${DateChoice} label=${t.collections.on} value=${on} onChange=${setOn} />
      <${Choice} label=${t.collections.which} value=${bucket} onChange=${setBucket} options=${[["", t.all], ...Object.entries(t.collections.buckets)]} />
      <${AgentChoice} />
    </div>
    <${Collections} on=${on} agent=${agent} bucket=${bucket} />`;
}
