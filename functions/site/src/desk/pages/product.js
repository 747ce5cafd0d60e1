/** A product: its terms, and a calculator. */
import { call } from "../api.js";
import { Facts, Status } from "../facts.js";
import { amount, number, rate, rhythm } from "../format.js";
import { Count, Decimal, filled, useForm, whole } from "../forms.js";
import { Heading, Section } from "../layout.js";
import { Loaded, useLoad } from "../load.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Quote, useQuote } from "./quote.js";

function Calculator({ product, user }) {
  const initial = { amount: product.max_amount, instalments: String(product.terms.instalments), interest_rate_apr: "" };
  const form = useForm(initial, async () => {});
  const { amount: wanted, instalments, interest_rate_apr: apr } = form.values;
  const terms = filled({ instalments: instalments && whole(instalments), interest_rate_apr: apr });
  const quote = useQuote({ amount: wanted, currency: product.currency, product: product.code, terms });
  const link = new URLSearchParams(filled({ product: product.code, amount: wanted, instalments })).toString();
  return html`<${Section} title=${t.product.calculator}>
    <div class="columns calculator">
      <div class="field-list" ref=${form.element}>
        <${Decimal} form=${form} name="amount" label=${t.commands.amountIn(product.currency)} hint=${t.product.range(number(product.min_amount), number(product.max_amount))} />
        <${Count} form=${form} name="instalments" label=${t.terms.instalments} hint=${t.product.range(product.min_instalments, product.max_instalments)} />
        ${user.role !== "customer" && html`<${Decimal} form=${form} name="interest_rate_apr" label=${t.terms.interest_rate_apr} hint=${t.product.rateHint(rate(product.terms.interest_rate_apr))} optional />`}
        ${user.role !== "admin" && product.active && html`<p><a class="button primary" href="/desk/apply?${link}">${t.product.apply}</a></p>`}
      </div>
      <${Quote} of=${quote} />
    </div>
  <//>`;
}

function Terms({ product }) {
  const { terms } = product;
  const grace = Object.entries(terms.grace).filter(([, count]) => count > 0);
  const word = (group, value) => t.terms[group][value] ?? value;
  return html`<${Section} title=${t.loan.terms}>
    <${Facts}
      of=${[
        [t.loan.rate, `${rate(terms.interest_rate_apr)} (${t.product.range(rate(product.min_rate_apr), rate(product.max_rate_apr))})`],
        [t.loan.instalments, `${terms.instalments} (${t.product.range(product.min_instalments, product.max_instalments)})`],
        [t.product.repaid, rhythm(terms)],
        [t.loan.amount, t.product.range(number(product.min_amount), amount(product.max_amount, product.currency))],
        [t.terms.interest_method, word("interest_methods", terms.interest_method)],
        [t.terms.amortization, word("amortizations", terms.amortization)],
        [t.terms.interest_period, word("interest_periods", terms.interest_period)],
        [t.terms.interest_accrual, word("interest_accruals", terms.interest_accrual)],
        [t.terms.day_count, terms.day_count],
        [t.terms.prepayment, word("prepayments", terms.prepayment)],
        [t.terms.allocation, typeof terms.allocation === "string" ? word("allocations", terms.allocation) : t.terms.allocationText(terms.allocation)],
        terms.fees.length > 0 && [t.loan.fees, terms.fees.map((fee) => t.terms.fee(fee)).join(", ")],
        terms.late_fee && [t.loan.lateFee, t.terms.lateFee(terms.late_fee)],
        grace.length > 0 && [t.terms.grace, grace.map(([name, count]) => `${word("graces", name)}: ${count}`).join(", ")],
        terms.calendar && [t.terms.calendar, html`${terms.calendar.code}, ${word("calendarRules", terms.calendar.rule)}`],
      ]}
    />
  <//>`;
}

export default function Product({ path: { code }, user }) {
  const found = useLoad((signal) => call("GET /api/products/{code}", { path: { code }, signal }), [code]);
  const product = found.data;
  const over = product && html`${product.code} ${!product.active && html`<${Status} of="closed" />`} ${product.is_default && t.product.isDefault}`;
  return html`<${Heading} text=${product?.name ?? t.loan.product} over=${over}>
      ${product && user.role === "admin" && html`<a class="button" href="/desk/products/${code}/edit">${t.product.edit}</a>`}
    <//>
    <${Loaded} of=${found} lines=${8}>
      ${(it) => html`<${Calculator} product=${it} user=${user} key=${it.version} /><${Terms} product=${it} />`}
    <//>`;
}
