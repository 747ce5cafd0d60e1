/** Calendars of working days. */
import { minute } from "../format.js";
import { Heading } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { html } from "../ui.js";
import { t } from "../words.js";

const columns = [
  { label: t.product.name, head: true, cell: (it) => html`<a href="/desk/calendars/${it.code}">${it.name}</a>` },
  { label: t.product.code, cell: (it) => it.code },
  { label: t.calendar.weekend, cell: (it) => it.weekend.map((day) => t.calendar.days[day]).join(", ") || t.none },
  { label: t.calendar.holidays, number: true, cell: (it) => it.holidays.length },
  { label: t.history.version, number: true, cell: (it) => it.version },
  { label: t.calendar.changed, cell: (it) => html`<span class="nobreak">${minute(it.updated_at)}</span>` },
];

export default function Calendars() {
  const list = usePages("GET /api/calendars", {}, 50);
  return html`<${Heading} text=${t.nav.calendars}>
      <a class="button primary" href="/desk/calendars/new">${t.calendar.create}</a>
    <//>
    <p class="muted">${t.calendar.about}</p>
    <${Paged} of=${list} label=${t.nav.calendars} columns=${columns} keyOf=${(it) => it.code} empty=${t.calendar.none} />`;
}
