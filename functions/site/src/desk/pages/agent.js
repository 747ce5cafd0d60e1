/** An agent: how to reach them, their requests, their figures. */
import { call } from "../api.js";
import { Facts, Status } from "../facts.js";
import { minute } from "../format.js";
import { Heading, Section } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { Loaded, useLoad } from "../load.js";
import { Mail, Phone, nameOf, openLazily } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { AgentActions } from "./agents.js";
import { loanColumns } from "./loans.js";
import Performance from "./performance.js";
import { UserActions } from "./user-actions.js";

const HAND_OVER = () => import("./customer-commands.js");

export default function Agent({ path: { id }, user }) {
  const found = useLoad((signal) => call("GET /api/agents/{id}", { path: { id }, signal }), [id]);
  const requests = usePages("GET /api/agents/{id}/requests", { path: { id } }, 10);
  const agent = found.data;
  return html`<${Heading} text=${agent ? nameOf(agent) : t.agents.agent} over=${agent && html`${t.roles.agent} <${Status} of=${agent.status} />`}>
      ${agent &&
      html`<${AgentActions} agent=${agent} />
        ${["active", "suspended"].includes(agent.status) && html`<button type="button" onClick=${() => openLazily(HAND_OVER, { name: "handOver", agent })}>${t.assign.book.way}</button>`}
        <${UserActions} of=${agent} me=${user} />`}
    <//>
    <${Loaded} of=${found}>
      ${(it) => html`<${Facts}
        of=${[
          [t.person.username, it.username],
          [t.person.phone, html`<${Phone} number=${it.phone} />`],
          [t.person.email, html`<${Mail} address=${it.email} />`],
          [t.agents.registered, minute(it.created_at)],
        ]}
      />`}
    <//>
    <${Section} title=${t.performance.title}><${Performance} id=${id} /><//>
    <${Section} title=${t.agents.requests}>
      <${Paged} of=${requests} label=${t.agents.requests} columns=${loanColumns} empty=${t.agents.noRequests} />
    <//>`;
}
