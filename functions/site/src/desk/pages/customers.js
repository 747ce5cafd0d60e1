/** Customers: to find one. */
import { minute } from "../format.js";
import { Status } from "../facts.js";
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
  { label: t.agents.registered, cell: (user) => html`<span class="nobreak">${minute(user.created_at)}</span>` },
];

export default function Customers() {
  const [q] = useQuery("q");
  const list = usePages("GET /api/customers", { query: { q } });
  return html`<${Heading} text=${t.nav.customers} />
    <div class="filters"><${Search} label=${t.search} /></div>
    <${Paged} of=${list} label=${t.nav.customers} columns=${columns} empty=${q ? t.customers.noneFound(q) : t.customers.none} />`;
}
