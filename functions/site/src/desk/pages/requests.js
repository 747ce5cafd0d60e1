/** The applications that an agent made or forwarded. */
import { Heading } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { loanColumns } from "./loans.js";

export function Requests({ rows = 25 }) {
  const list = usePages("GET /api/agents/{id}/requests", { path: { id: "me" } }, rows);
  return html`<${Paged} of=${list} label=${t.nav.requests} columns=${loanColumns} empty=${t.agents.noRequests} />`;
}

export default function MyRequests() {
  return html`<${Heading} text=${t.nav.requests}>
      <a class="button primary" href="/desk/apply">${t.nav.newApplication}</a>
    <//>
    <${Requests} />`;
}
