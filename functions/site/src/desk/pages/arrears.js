/** The portfolio at risk: outstanding principal by days past due. */
import { callAll } from "../api.js";
import { Choice } from "../facts.js";
import { isZero, number, percent } from "../format.js";
import { Section } from "../layout.js";
import { Table } from "../lists.js";
import { Empty, Loaded, useLoad } from "../load.js";
import { Who } from "../people.js";
import { useQuery } from "../router.js";
import { html, useEffect, useRef } from "../ui.js";
import { t } from "../words.js";

const RISKS = ["par1", "par30", "par60", "par90"];

/** A share as a length. */
function Bar({ share }) {
  const bar = useRef(null);
  // The policy forbids a style attribute; a property set by this script is no such thing.
  useEffect(() => {
    bar.current.style.inlineSize = `${Math.min(100, Number(share) * 100)}%`;
  }, [share]);
  return html`<span class="bar"><span ref=${bar}></span></span>`;
}

/** The part at risk: the share, a bar as long as that, the amount and the loans. */
export const AtRisk = ({ of: { amount, share, loans } }) =>
  html`<div>
    ${percent(share)}<${Bar} share=${share} /><span class="detail">${number(amount)}</span
    ><span class="detail">${t.portfolio.loansOf(loans)}</span>
  </div>`;

export function Arrears({ currency, user }) {
  const [group, setGroup] = useQuery("by", "currency");
  const found = useLoad(
    (signal) => callAll("GET /api/portfolio/arrears", { query: { group_by: group }, signal }).then((groups) => ({ group, groups })),
    [group],
  );
  const groups = Object.entries(t.portfolio.groups).filter(([name]) => name !== "agent" || user.role === "admin");
  const choice = html`<${Choice} label=${t.portfolio.by} value=${group} onChange=${setGroup} options=${groups} />`;
  return html`<${Section} title=${t.portfolio.risk} actions=${choice}>
    <p class="muted">${t.portfolio.riskAbout}</p>
    <${Loaded} of=${found}>
      ${(data) => {
        const shown = data.groups.filter((row) => row.currency === currency && !isZero(row.outstanding));
        if (shown.length === 0) return html`<${Empty}>${t.portfolio.noRisk}<//>`;
        const name = (row) => {
          if (data.group === "agent") return row.group ? html`<${Who} id=${row.group} me=${user} />` : t.portfolio.noAgent;
          return row.group ?? t.none;
        };
        const columns = [
          { label: t.portfolio.groups[data.group], head: true, cell: name },
          {
            label: t.portfolio.outstanding,
            number: true,
            cell: (row) => html`<div>${number(row.outstanding)}<span class="detail">${t.portfolio.loansOf(row.loans)}</span></div>`,
          },
          ...RISKS.map((risk) => ({ label: t.portfolio.risks[risk], number: true, cell: (row) => html`<${AtRisk} of=${row[risk]} />` })),
        ];
        return html`<div class="even"><${Table} label=${t.portfolio.risk} rows=${shown} columns=${columns} keyOf=${(row) => row.group ?? ""} /></div>`;
      }}
    <//>
  <//>`;
}
