/** All accounts. */
import { call } from "../api.js";
import { openDialog } from "../dialog.js";
import { Choice, Status } from "../facts.js";
import { minute } from "../format.js";
import { Heading } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { Mail, Phone, addressOf, nameOf } from "../people.js";
import { useQuery } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Command } from "./command.js";
import { Search } from "./search.js";

const columns = [
  { label: t.users.user, head: true, cell: (user) => html`<a href=${addressOf(user)}>${nameOf(user)}</a>` },
  { label: t.person.username, cell: (user) => user.username },
  { label: t.person.role, cell: (user) => t.roles[user.role] },
  { label: t.loan.status, cell: (user) => html`<${Status} of=${user.status} />` },
  { label: t.person.phone, cell: (user) => html`<${Phone} number=${user.phone} />` },
  { label: t.person.email, cell: (user) => html`<${Mail} address=${user.email} />` },
  { label: t.agents.registered, cell: (user) => html`<span class="nobreak">${minute(user.created_at)}</span>` },
];

function NewUser({ close }) {
  return html`<${Command}
    title=${t.users.create}
    about=${t.users.createAbout}
    button=${t.users.createButton}
    close=${close}
    fields=${[
      { name: "role", label: t.person.role, options: Object.entries(t.roles), value: "agent" },
      { name: "full_name", label: t.person.full_name, optional: true },
      { name: "username", label: t.person.username, hint: t.person.usernameHint, autocapitalize: "none", autocomplete: "off" },
      { name: "email", label: t.person.email, type: "email", autocomplete: "off" },
      { name: "phone", label: t.person.phone, type: "tel", hint: t.person.phoneHint, autocomplete: "off" },
      { name: "password", label: t.person.password, type: "password", hint: t.person.passwordHint, autocomplete: "new-password" },
    ]}
    send=${async (body) => {
      const user = await call("POST /api/users", { body });
      return t.users.created(nameOf(user));
    }}
  />`;
}

export default function Users() {
  const [role, setRole] = useQuery("role");
  const [status, setStatus] = useQuery("status");
  const [q] = useQuery("q");
  const list = usePages("GET /api/users", { query: { role, status, q } });
  const all = [["", t.all]];
  const statuses = ["active", "pending", "suspended", "rejected", "erased"].map((it) => [it, t.status[it]]);
  return html`<${Heading} text=${t.nav.users}>
      <button type="button" class="primary" onClick=${() => openDialog((close) => html`<${NewUser} close=${close} />`)}>${t.users.create}</button>
    <//>
    <div class="filters">
      <${Search} label=${t.search} />
      <${Choice} label=${t.person.role} value=${role} onChange=${setRole} options=${[...all, ...Object.entries(t.roles)]} />
      <${Choice} label=${t.loan.status} value=${status} onChange=${setStatus} options=${[...all, ...statuses]} />
    </div>
    <${Paged} of=${list} label=${t.nav.users} columns=${columns} empty=${t.users.none} />`;
}
