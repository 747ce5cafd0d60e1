/** Agents' work. */
import { atRisk } from "./arrears.js";
import { at, fillTable } from "./elements.js";
import { grouped, percent } from "./format.js";
import { load } from "./sections.js";
import { ask, view } from "./session.js";

export function showPerformance() {
  const section = at("performance");
  const empty = section.querySelector(".empty");
  const [summary, table] = [at("performance-summary"), section.querySelector("table")];
  const agent = view.admin ? at("performance-agent").value : "me";
  return load(section, async (signal) => {
    summary.hidden = true;
    table.hidden = true;
    empty.textContent = "Choose an agent to see its figures.";
    empty.hidden = Boolean(agent);
    if (!agent) return;
    const query = { from: at("performance-from").value, to: at("performance-to").value };
    const work = await ask("GET", `/api/agents/${encodeURIComponent(agent)}/performance`, { query, signal });
    const currencies = Object.entries(work.by_currency);
    const time = work.from ? `from ${work.from} to ${work.to}` : `up to ${work.to}`;
    empty.textContent = `Nothing ${time}.`;
    empty.hidden = currencies.length > 0;
    summary.textContent = `${grouped(work.requests)} requests, ${percent(work.approval_rate)} approved, ${time}.`;
    summary.hidden = currencies.length === 0;
    table.tBodies[0].replaceChildren();
    fillTable(table, currencies, ([code, sums]) => [
      code,
      grouped(sums.requests),
      percent(sums.approval_rate),
      grouped(sums.disbursed),
      grouped(sums.collected),
      atRisk(sums.par30),
    ]);
    table.hidden = currencies.length === 0;
  });
}
