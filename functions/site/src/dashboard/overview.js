/** The book: how many loans in which state, and the sums of each currency. */
import { showArrears } from "./arrears.js";
import { at, element, figure } from "./elements.js";
import { grouped, isSome } from "./format.js";
import { showDays } from "./history.js";
import { load } from "./sections.js";
import { ask, view } from "./session.js";

const STATUSES = ["pending", "approved", "disbursed", "repaid", "defaulted", "rejected", "withdrawn"];

export function showOverview() {
  return load(at("overview"), async (signal) => {
    const statistics = await ask("GET", "/api/stats", { signal });
    view.statistics = statistics;
    at("as-of").textContent = statistics.as_of;
    const counts = STATUSES.map((status) => figure(status, grouped(statistics.by_status[status])));
    at("statuses").replaceChildren(figure("all", grouped(statistics.total_loans)), ...counts);
    showCurrencies(Object.keys(statistics.by_currency));
  });
}

function showCurrencies(codes) {
  at("no-money").hidden = codes.length > 0;
  for (const part of ["currencies", "currency"]) at(part).hidden = codes.length === 0;
  const tabs = codes.map((code) => {
    const attributes = { type: "button", role: "tab", id: `tab-${code}`, "aria-controls": "currency" };
    const tab = element("button", attributes, code);
    tab.addEventListener("click", () => showCurrency(code));
    return tab;
  });
  at("currencies").replaceChildren(...tabs);
  if (codes.length > 0) showCurrency(codes.includes(view.currency) ? view.currency : codes[0]);
}

/** Shows the figures of one currency: they never mix. */
function showCurrency(code) {
  view.currency = code;
  for (const tab of at("currencies").children) {
    const chosen = tab.id === `tab-${code}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  at("currency").setAttribute("aria-labelledby", `tab-${code}`);
  showTotals();
  showDays();
  showArrears();
}

/** Arrows, Home and End choose among the tabs. */
export function moveAmongTabs(event) {
  const tabs = [...at("currencies").children];
  const now = tabs.indexOf(event.target);
  const last = tabs.length - 1;
  const steps = { ArrowRight: now === last ? 0 : now + 1, ArrowLeft: now === 0 ? last : now - 1, Home: 0, End: last };
  const next = tabs[steps[event.key]];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.click();
}

function showTotals() {
  const code = view.currency;
  const sums = view.statistics.by_currency[code];
  at("totals").replaceChildren(
    figure("Outstanding", grouped(sums.outstanding), code, "main"),
    figure("Past due", grouped(sums.past_due), code, isSome(sums.past_due) ? "main late" : "main"),
    figure("Disbursed", grouped(sums.disbursed), code),
    figure("Repaid", grouped(sums.repaid), code),
    figure("Applied for", grouped(sums.total_amount), code),
    figure("Average loan", grouped(sums.avg_amount), code),
    figure("Loans", grouped(sums.loans)),
  );
}
