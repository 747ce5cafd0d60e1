/** Collections: what is to be collected on a day. */
import { at, element } from "./elements.js";
import { grouped, isSome } from "./format.js";
import { view } from "./session.js";

export function collectionCells(item) {
  const amount = (value) => `${grouped(value)} ${item.currency}`;
  const overdue = element("span", { class: isSome(item.overdue) ? "late" : "" }, amount(item.overdue));
  return [item.customer, amount(item.due), overdue, grouped(item.days_past_due), element("code", {}, item.loan_id)];
}

/** Shows the business date's collections, unless another day was chosen; a page may be looked at for days. */
export function showTodaysCollections() {
  const on = at("collections-on");
  if (on.value === view.today) {
    view.today = view.statistics?.as_of ?? "";
    on.value = view.today;
  }
  return showCollections();
}

export function showCollections() {
  return view.collections.show({ on: at("collections-on").value, agent_id: at("collections-agent").value });
}
