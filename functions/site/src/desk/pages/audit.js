/** The audit: who did what, to what, from where. */
import { DateChoice } from "../facts.js";
import { minute } from "../format.js";
import { Heading } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { Who } from "../people.js";
import { useQuery } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";

/** The page of what an entry is about. */
function Subject({ of: subject }) {
  const [kind, id] = subject.split(":");
  const way = { loan: `/desk/loans/${id}`, user: `/desk/users/${id}`, product: `/desk/products/${id}`, calendar: `/desk/calendars/${id}`, payment: `/desk/payments/${id}`, source: `/desk/sources/${id}` }[kind];
  return way && id ? html`<a href=${way}>${t.audit.kinds[kind]} <code>${id.slice(-6)}</code></a>` : html`<code>${subject}</code>`;
}

const detail = (entry) => Object.entries(entry.detail).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`);

export default function Audit({ user }) {
  const [action, setAction] = useQuery("action");
  const [from, setFrom] = useQuery("from");
  const [to, setTo] = useQuery("to");
  const list = usePages("GET /api/audit", { query: { action, from, to } });
  const columns = [
    { label: t.history.at, cell: (entry) => html`<span class="nobreak">${minute(entry.at)}</span>` },
    { label: t.audit.action, head: true, cell: (entry) => html`<div>${t.audit.actions[entry.action] ?? entry.action}<span class="detail">${entry.action}</span></div>` },
    { label: t.history.by, cell: (entry) => html`<${Who} id=${entry.actor_id} me=${user} />` },
    { label: t.audit.subject, cell: (entry) => html`<${Subject} of=${entry.subject} />` },
    { label: t.audit.detail, cell: (entry) => html`<div>${detail(entry).map((line) => html`<span class="detail" key=${line}>${line}</span>`)}</div>` },
    { label: t.audit.address, cell: (entry) => entry.address ?? t.none },
  ];
  const actions = Object.keys(t.audit.actions);
  return html`<${Heading} text=${t.nav.audit} />
    <div class="filters">
      <label class="choice"
        >${t.audit.action}
        <select value=${action} onChange=${({ target }) => setAction(target.value)}>
          <option value="">${t.all}</option>
          ${actions.map((name) => html`<option key=${name} value=${name}>${t.audit.actions[name]}</option>`)}
        </select></label
      >
      <${DateChoice} label=${t.loans.from} value=${from} onChange=${setFrom} />
      <${DateChoice} label=${t.loans.to} value=${to} onChange=${setTo} />
    </div>
    <${Paged} of=${list} label=${t.nav.audit} columns=${columns} empty=${t.audit.none} />`;
}
