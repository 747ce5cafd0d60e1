/** The products. */
import { Status } from "../facts.js";
import { number, rate, rhythm } from "../format.js";
import { Heading } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { html } from "../ui.js";
import { t } from "../words.js";

const range = (low, high, show) => (low === high ? show(low) : `${show(low)} – ${show(high)}`);

const columns = [
  { label: t.product.name, head: true, cell: (it) => html`<a href="/desk/products/${it.code}">${it.name}</a>` },
  { label: t.portfolio.currency, cell: (it) => html`<div>${it.currency}${it.is_default && html`<span class="detail">${t.product.isDefault}</span>`}</div>` },
  { label: t.loan.amount, number: true, cell: (it) => range(it.min_amount, it.max_amount, number) },
  { label: t.loan.instalments, number: true, cell: (it) => range(it.min_instalments, it.max_instalments, number) },
  { label: t.product.repaid, cell: (it) => rhythm(it.terms) },
  { label: t.loan.rate, number: true, cell: (it) => range(it.min_rate_apr, it.max_rate_apr, rate) },
];
const state = { label: t.loan.status, cell: (it) => html`<${Status} of=${it.active ? "active" : "closed"} />` };

export default function Products({ user }) {
  const list = usePages("GET /api/products", {}, 50);
  return html`<${Heading} text=${t.nav.products}>
      ${user.role === "admin" && html`<a class="button primary" href="/desk/products/new">${t.product.create}</a>`}
    <//>
    <${Paged} of=${list} label=${t.nav.products} columns=${user.role === "admin" ? [...columns, state] : columns} keyOf=${(it) => it.code} empty=${t.product.none} />`;
}
