/** The changes of somebody's contact data: when, by whom. */
import { minute } from "../format.js";
import { Section } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { Who } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";

export function Changes({ id, me }) {
  const list = usePages("GET /api/users/{id}/changes", { path: { id } }, 10);
  const columns = [
    { label: t.changes.field, head: true, cell: (change) => t.person[change.field] },
    { label: t.changes.old, cell: (change) => change.old ?? t.none },
    { label: t.changes.new, cell: (change) => change.new ?? t.none },
    { label: t.history.by, cell: (change) => html`<${Who} id=${change.by} me=${me} />` },
    { label: t.history.at, cell: (change) => html`<span class="nobreak">${minute(change.at)}</span>` },
  ];
  return html`<${Section} title=${t.changes.title}>
    <${Paged} of=${list} label=${t.changes.title} columns=${columns} empty=${t.changes.none} />
  <//>`;
}
