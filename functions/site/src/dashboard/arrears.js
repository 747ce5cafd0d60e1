/** The portfolio at risk. */
import { agentName } from "./agents.js";
import { at, detail, element, fillTable } from "./elements.js";
import { grouped, isSome, loansOf, percent } from "./format.js";
import { load } from "./sections.js";
import { ask, view } from "./session.js";

const RISKS = ["par1", "par30", "par60", "par90"];

export function loadArrears() {
  return load(at("arrears"), async (signal) => {
    const group = at("group-by").value;
    const arrears = await ask("GET", "/api/portfolio/arrears", { query: { group_by: group }, signal });
    // Groups of agents are shown by name.
    await view.agentsKnown;
    view.arrears = { group, groups: arrears };
    showArrears();
  });
}

export function showArrears() {
  if (!view.currency || !view.arrears) return;
  const table = at("arrears-table");
  const { group, groups } = view.arrears;
  const shown = groups.filter((arrears) => arrears.currency === view.currency && isSome(arrears.outstanding));
  table.tBodies[0].replaceChildren();
  fillTable(table, shown, (arrears) => {
    const name = group === "agent" ? agentName(arrears.group) : (arrears.group ?? "–");
    const outstanding = element("div", {}, grouped(arrears.outstanding), detail(loansOf(arrears.loans)));
    return [name, outstanding, ...RISKS.map((risk) => atRisk(arrears[risk]))];
  });
  table.hidden = shown.length === 0;
  at("arrears").querySelector(".empty").hidden = shown.length > 0;
}

/** What is at risk: the share, a bar as long as that, the amount and the loans. */
export function atRisk({ amount, share, loans }) {
  const bar = element("span", { class: "bar" }, element("span"));
  // The policy forbids a style attribute; a property set by this script is no such thing.
  bar.firstChild.style.inlineSize = `${Math.min(100, Number(share) * 100)}%`;
  return element("div", {}, percent(share), bar, detail(grouped(amount)), detail(loansOf(loans)));
}
