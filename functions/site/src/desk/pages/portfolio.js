/** The portfolio: how many loans in which state, the sums of each currency, their history, and what is at risk. */
import { call } from "../api.js";
import { Choice, Facts } from "../facts.js";
import { Amount, date, isZero, number } from "../format.js";
import { Heading, Section } from "../layout.js";
import { Empty, Lazy, Loaded, useLoad } from "../load.js";
import { useQuery } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Arrears } from "./arrears.js";

const STATUSES = ["pending", "approved", "disbursed", "repaid", "defaulted", "rejected", "withdrawn"];

const HISTORY = () => import("./portfolio-history.js");

function Totals({ sums, currency }) {
  const money = (name) => html`<${Amount} of=${sums[name]} currency=${currency} />`;
  const names = ["outstanding", "past_due", "disbursed", "repaid", "total_amount", "avg_amount"];
  const kind = { outstanding: "main", past_due: isZero(sums.past_due) ? "main" : "main late" };
  return html`<${Facts}
    large
    of=${[...names.map((name) => [t.portfolio[name], money(name), kind[name]]), [t.portfolio.loans, number(sums.loans)]]}
  />`;
}

export default function Portfolio({ user }) {
  const stats = useLoad((signal) => call("GET /api/stats", { signal }), []);
  const [wanted, setCurrency] = useQuery("currency");
  return html`<${Heading} text=${t.portfolio.title} over=${stats.data && t.portfolio.asOf(date(stats.data.as_of))} />
    <${Loaded} of=${stats} lines=${8}>
      ${(found) => {
        const codes = Object.keys(found.by_currency);
        const busiest = codes.find((code) => !isZero(found.by_currency[code].outstanding));
        const currency = codes.includes(wanted) ? wanted : (busiest ?? codes[0]);
        const counts = STATUSES.map((status) => [
          t.status[status],
          html`<a href="/desk/loans?status=${status}">${number(found.by_status[status])}</a>`,
        ]);
        return html`
          <${Facts} of=${[[t.portfolio.all, html`<a href="/desk/loans">${number(found.total_loans)}</a>`], ...counts]} large />
          ${codes.length === 0
            ? html`<${Empty}>${t.portfolio.nothing}<//>`
            : html`
                <div class="heading currency">
                  <h2>${t.portfolio.money}</h2>
                  <${Choice} label=${t.portfolio.currency} value=${currency} onChange=${setCurrency} options=${codes.map((code) => [code, code])} />
                </div>
                <${Totals} sums=${found.by_currency[currency]} currency=${currency} />
                <${Lazy} load=${HISTORY} currency=${currency} statistics=${found} />
                <${Arrears} currency=${currency} user=${user} />
              `}
        `;
      }}
    <//>
    ${user.role === "agent" && html`<${Section} title=${t.performance.mine}><${Lazy} load=${PERFORMANCE} id="me" /><//>`}`;
}

const PERFORMANCE = () => import("./performance.js");
