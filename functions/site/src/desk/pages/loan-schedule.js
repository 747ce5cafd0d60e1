/** The schedule: what is due when, and what of it is paid. */
import { call } from "../api.js";
import { date, isZero, number } from "../format.js";
import { Table } from "../lists.js";
import { Loaded, useLoad } from "../load.js";
import { html } from "../ui.js";
import { t } from "../words.js";

const money = (name) => ({ label: t.schedule[name], number: true, cell: (row) => (isZero(row[name]) ? t.none : number(row[name])) });

export default function Schedule({ loan, query }) {
  const found = useLoad(
    (signal) => call("GET /api/loans/{id}/schedule", { path: { id: loan.id }, query, signal }),
    [loan.id, loan.updated_at, query.as_of, query.known_at],
  );
  return html`<${Loaded} of=${found} lines=${8}>
    ${(schedule) => {
      const has = (name) => schedule.rows.some((row) => !isZero(row[name] ?? "0"));
      const parts = ["principal", "interest", "fees", "penalties"].filter((name) => name === "principal" || name === "interest" || has(name));
      const after = schedule.projection ? ["balance"] : ["paid", ...(has("written_off") ? ["written_off"] : []), "outstanding"];
      const names = [...parts, "due", ...after];
      const columns = [
        { label: t.schedule.n, number: true, cell: (row) => row.n },
        { label: t.schedule.due_on, head: true, cell: (row) => html`<span class="nobreak">${date(row.due_on)}</span>` },
        ...names.map(money),
      ];
      const state = (row) => {
        if (schedule.projection || isZero(row.outstanding)) return schedule.projection ? "" : "done";
        return row.due_on < schedule.as_of ? "overdue" : "";
      };
      const total = (name) => (name in schedule.totals ? number(schedule.totals[name]) : "");
      return html`
        <p class="muted">${schedule.projection ? t.schedule.projection(date(schedule.disbursed_on)) : t.schedule.asOf(date(schedule.as_of), schedule.currency)}</p>
        <${Table} label=${t.loan.tabs.schedule} rows=${schedule.rows} columns=${columns} keyOf=${(row) => row.n} rowClass=${state} foot=${["", t.schedule.total, ...names.map(total)]} />
      `;
    }}
  <//>`;
}
