/** The trial balance: every account's sums, by currency. */
import { call } from "../api.js";
import { DateChoice } from "../facts.js";
import { date, number } from "../format.js";
import { Heading, Section } from "../layout.js";
import { Table } from "../lists.js";
import { Empty, Loaded, useLoad } from "../load.js";
import { useQuery } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";

const columns = [
  { label: t.ledger.account, head: true, cell: (row) => t.account(row.account) },
  { label: t.ledger.debit, number: true, cell: (row) => number(row.debit) },
  { label: t.ledger.credit, number: true, cell: (row) => number(row.credit) },
  { label: t.ledger.balance, number: true, cell: (row) => number(row.balance) },
];

export default function Ledger() {
  const [asOf, setAsOf] = useQuery("as_of");
  const found = useLoad((signal) => call("GET /api/ledger/trial-balance", { query: { as_of: asOf }, signal }), [asOf]);
  return html`<${Heading} text=${t.nav.ledger} over=${found.data && t.portfolio.asOf(date(found.data.as_of))} />
    <div class="filters"><${DateChoice} label=${t.loan.asOfDate} value=${asOf} onChange=${setAsOf} /></div>
    <${Loaded} of=${found} lines=${8}>
      ${({ data }) => {
        const codes = [...new Set(data.map(({ currency }) => currency))];
        if (codes.length === 0) return html`<${Empty}>${t.ledger.none}<//>`;
        return codes.map(
          (code) => html`<${Section} title=${code} key=${code}>
            <${Table} label=${t.ledger.of(code)} rows=${data.filter(({ currency }) => currency === code)} columns=${columns} keyOf=${(row) => row.account} />
          <//>`,
        );
      }}
    <//>`;
}
