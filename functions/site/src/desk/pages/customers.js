/** Customers: to find one. */
import { minute } from "../format.js";
import { Choice, Status } from "../facts.js";
import { Heading } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { Mail, Phone, nameOf } from "../people.js";
import { useQuery } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Search } from "./search.js";

const columns = [
  { label: t.loan.customer, head: true, cell: (user) => html`<a href="/desk/customers/${user.id}">${nameOf(user)}</a>` },
  { label: t.person.username, cell: (user) => user.username },
  { label: t.person.phone, cell: (user) => html`<${Phone} number=${user.phone} />` },
  { label: t.person.email, cell: (user) => html`<${Mail} address=${user.email} />` },
  { label: t.loan.status, cell: (user) => html`<${Status} of=${user.status} />` },
  { label: t.kyc.title, cell: (user) => html`<${Status} of=${user.kyc.status} />` },
  { label: t.agents.registered, cell: (user) => html`<span class="nobreak">${minute(user.created_at)}</span>` },
];

export default function Customers({ user }) {
  const [q] = useQuery("q");
  const [kyc, setKyc] = useQuery("kyc");
  const [whose, setWhose] = useQuery("agent_id");
  const list = usePages("GET /api/customers", { query: { q, kyc, agent_id: whose } });
  const findings = ["unverified", "verified", "refused"].map((it) => [it, t.status[it]]);
  return html`<${Heading} text=${t.nav.customers}>
      <a class="button primary" href="/desk/customers/new">${t.enrol.way}</a>
    <//>
    <div class="filters">
      <${Search} label=${t.search} />
      <${Choice} label=${t.kyc.title} value=${kyc} onChange=${setKyc} options=${[["", t.all], ...findings]} />
      ${user.role === "agent" && html`<${Choice} label=${t.customers.whose} value=${whose} onChange=${setWhose} options=${[["", t.all], ["me", t.customers.mine]]} />`}
    </div>
    <${Paged} of=${list} label=${t.nav.customers} columns=${columns} empty=${q ? t.customers.noneFound(q) : t.customers.none} />`;
}
