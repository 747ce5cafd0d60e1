/** A new application: a customer's own, or one that an agent makes for a customer. The quote follows what is typed. */
import { call, callAll } from "../api.js";
import { tell } from "../dialog.js";
import { amount, number, rate } from "../format.js";
import { Count, Decimal, Field, Form, filled, useForm, whole } from "../forms.js";
import { Heading, Section } from "../layout.js";
import { Loaded, useLoad } from "../load.js";
import { open, place, useStore } from "../router.js";
import { html, useId } from "../ui.js";
import { t } from "../words.js";
import { Quote, useQuote } from "./quote.js";

/** Customers that a username can be chosen of. */
function useCustomers(text) {
  const q = text.trim();
  return useLoad(async (signal) => (q.length >= 2 ? (await call("GET /api/customers", { query: { q, limit: 10 }, signal })).data : []), [q]);
}

function Customer({ form }) {
  const list = useId();
  const found = useCustomers(form.values.borrower_id);
  const chosen = found.data?.find(({ username }) => username === form.values.borrower_id);
  const hint = chosen ? html`${chosen.full_name ?? chosen.username}, ${chosen.phone}` : t.apply.customerHint;
  return html`<${Field} form=${form} name="borrower_id" label=${t.apply.customer} hint=${hint} list=${list} autocomplete="off" />
    <datalist id=${list}>
      ${(found.data ?? []).map(({ username, full_name: name, phone }) => html`<option key=${username} value=${username}>${[name, phone].filter(Boolean).join(", ")}</option>`)}
    </datalist>`;
}

function ApplyForm({ products, user, start }) {
  const isAgent = user.role === "agent";
  const first = products.find(({ code }) => code === start.get("product")) ?? products[0];
  const initial = { borrower_id: start.get("customer") ?? "", product: first.code, amount: start.get("amount") ?? "", instalments: start.get("instalments") ?? String(first.terms.instalments), interest_rate_apr: "" };
  const form = useForm(initial, async (values, keyOf) => {
    const { product, borrower_id: borrower, interest_rate_apr: apr } = values;
    const mine = isAgent ? { borrower_id: borrower, interest_rate_apr: apr } : {};
    const body = { ...filled({ ...mine, product, amount: values.amount }), currency: chosen.currency, ...(values.instalments && { instalments: whole(values.instalments) }) };
    const loan = await call("POST /api/loans", { body, key: keyOf(body) });
    open(`/desk/loans/${loan.id}`);
    tell(t.apply.done(amount(loan.amount, loan.currency)));
  });
  const { values } = form;
  const chosen = products.find(({ code }) => code === values.product);
  const terms = filled({ instalments: values.instalments && whole(values.instalments), interest_rate_apr: values.interest_rate_apr });
  const quote = useQuote({ amount: values.amount, currency: chosen.currency, product: chosen.code, terms });
  return html`<div class="columns form-and-quote">
    <${Form} form=${form} label=${t.apply.button}>
      ${isAgent && html`<${Customer} form=${form} />`}
      <${Field} form=${form} name="product" label=${t.loan.product} options=${products.map(({ code, name, currency }) => [code, `${name} (${currency})`])} />
      <${Decimal} form=${form} name="amount" label=${t.commands.amountIn(chosen.currency)} hint=${t.product.range(number(chosen.min_amount), number(chosen.max_amount))} />
      <${Count} form=${form} name="instalments" label=${t.terms.instalments} hint=${t.product.range(chosen.min_instalments, chosen.max_instalments)} />
      ${isAgent && html`<${Decimal} form=${form} name="interest_rate_apr" label=${t.terms.interest_rate_apr} hint=${t.product.rateHint(rate(chosen.terms.interest_rate_apr))} optional />`}
    <//>
    <${Section} title=${t.apply.quote}><${Quote} of=${quote} open /><//>
  </div>`;
}

export default function Apply({ user }) {
  const { query } = useStore(place);
  const found = useLoad(async (signal) => (await callAll("GET /api/products", { signal })).filter(({ active }) => active), []);
  return html`<${Heading} text=${user.role === "agent" ? t.nav.newApplication : t.apply.title} />
    <p class="muted">${user.role === "agent" ? t.apply.agentAbout : t.apply.about}</p>
    <${Loaded} of=${found} lines=${5}>
      ${(products) => (products.length ? html`<${ApplyForm} products=${products} user=${user} start=${query} />` : html`<p>${t.product.none}</p>`)}
    <//>`;
}
