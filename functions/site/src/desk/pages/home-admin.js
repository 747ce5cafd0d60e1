/** An admin's first page: what waits, then today's collections, then figures. */
import { call } from "../api.js";
import { Amount, date, number, today } from "../format.js";
import { Heading, Section, Waiting } from "../layout.js";
import { Loaded, Empty, useLoad } from "../load.js";
import { Table } from "../lists.js";
import { html, useContext, useEffect } from "../ui.js";
import { t } from "../words.js";
import { Queue } from "./applications.js";

/** Something that waits: how much of it, and the way there. */
const Waits = ({ count, text, href }) =>
  html`<li class=${Number.parseInt(count, 10) > 0 ? "waits" : ""}>
    <a href=${href}><b>${number(count || 0)}</b> <span>${text}</span></a>
  </li>`;

function Collections() {
  const first = useLoad(async (signal) => {
    const find = (bucket) => call("GET /api/collections", { query: { on: today(), bucket, limit: 200 }, signal });
    const [due, overdue] = await Promise.all([find("due"), find("overdue")]);
    const count = (page) => `${page.data.length}${page.next_cursor ? "+" : ""}`;
    return { due: count(due), overdue: count(overdue), worst: overdue.data.slice(0, 5) };
  }, []);
  return html`<${Loaded} of=${first}>
    ${({ due, overdue, worst }) => html`
      <p>${t.home.collections(due, overdue)} <a href="/desk/collections">${t.home.toCollections}</a></p>
      ${worst.length > 0 &&
      html`<${Table}
        label=${t.home.worst}
        rows=${worst}
        keyOf=${(row) => row.loan_id}
        columns=${[
          { label: t.loan.customer, head: true, cell: (row) => html`<a href="/desk/loans/${row.loan_id}">${row.full_name ?? row.customer}</a>` },
          { label: t.loan.overdue, number: true, cell: (row) => html`<${Amount} of=${row.overdue} currency=${row.currency} />` },
          { label: t.loan.late, number: true, cell: (row) => t.days(row.days_past_due) },
        ]}
      />`}
    `}
  <//>`;
}

function Figures() {
  const stats = useLoad((signal) => call("GET /api/stats", { signal }), []);
  return html`<${Loaded} of=${stats}>
    ${(found) => {
      const currencies = Object.entries(found.by_currency);
      if (currencies.length === 0) return html`<${Empty}>${t.portfolio.nothing}<//>`;
      return html`<${Table}
          label=${t.home.figures}
          rows=${currencies}
          keyOf=${([code]) => code}
          columns=${[
            { label: t.portfolio.currency, head: true, cell: ([code]) => html`<a href="/desk/portfolio?currency=${code}">${code}</a>` },
            { label: t.portfolio.loans, number: true, cell: ([, sums]) => number(sums.loans) },
            { label: t.portfolio.outstanding, number: true, cell: ([, sums]) => number(sums.outstanding) },
            { label: t.portfolio.past_due, number: true, cell: ([, sums]) => number(sums.past_due) },
          ]}
        />
        <p class="muted">${t.portfolio.asOf(date(found.as_of))} <a href="/desk/portfolio">${t.home.toPortfolio}</a></p>`;
    }}
  <//>`;
}

export default function Home() {
  const waiting = useContext(Waiting);
  useEffect(() => {
    if (waiting.data) waiting.reload();
  }, []);
  return html`<${Heading} text=${t.home.title} over=${date(today())} />
    <${Loaded} of=${waiting} lines=${2}>
      ${(counts) => html`<ul class="waiting">
        <${Waits} count=${counts.applications} text=${t.home.applications(counts.applications)} href="/desk/applications" />
        <${Waits} count=${counts.agents} text=${t.home.agents(counts.agents)} href="/desk/agents" />
        <${Waits} count=${counts.payments} text=${t.home.payments(counts.payments)} href="/desk/payments" />
        <${Waits} count=${counts.disbursements} text=${t.home.disbursements(counts.disbursements)} href="/desk/loans?status=approved" />
      </ul>`}
    <//>
    <${Section} title=${t.applications.title}>
      <${Queue} rows=${5} />
    <//>
    <div class="columns two">
      <${Section} title=${t.home.today}><${Collections} /><//>
      <${Section} title=${t.home.figures}><${Figures} /><//>
    </div>`;
}
