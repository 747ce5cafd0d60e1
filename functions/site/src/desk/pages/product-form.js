/** A product to create or to change, with the schedule that its terms make. */
import { call, callAll } from "../api.js";
import { tell } from "../dialog.js";
import { Count, Decimal, Field, Form, filled, useForm, whole } from "../forms.js";
import { Heading, Section } from "../layout.js";
import { Loaded, useLoad } from "../load.js";
import { open } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Quote, useQuote } from "./quote.js";
import { NEW_TERMS, TermsFields, termsOf, valuesOf } from "./terms.js";

const NAMES = ["code", "name", "currency", "min_amount", "max_amount", "min_instalments", "max_instalments", "min_rate_apr", "max_rate_apr"];
const COUNTS = ["min_instalments", "max_instalments"];

const NEW = { min_amount: "100", max_amount: "50000", min_instalments: "1", max_instalments: "60", min_rate_apr: "0", max_rate_apr: "100", active: true, is_default: false, requires_kyc: false, terms: NEW_TERMS };

function bodyOf(values) {
  const plain = filled(Object.fromEntries(NAMES.map((name) => [name, COUNTS.includes(name) && values[name] ? whole(values[name]) : values[name]])));
  return { ...plain, active: values.active, is_default: values.is_default, requires_kyc: values.requires_kyc, terms: termsOf(values) };
}

function ProductForm({ product, calendars }) {
  const base = product ?? NEW;
  const initial = { ...Object.fromEntries(NAMES.map((name) => [name, String(base[name] ?? "")])), active: base.active, is_default: base.is_default, requires_kyc: base.requires_kyc, ...valuesOf(base.terms), example: base.max_amount };
  const form = useForm(initial, async (values, keyOf) => {
    const body = bodyOf(values);
    if (product) {
      const { code, currency: _fixed, ...changes } = body;
      await call("PATCH /api/products/{code}", { path: { code: product.code }, version: product.version, body: changes });
      tell(t.product.saved(code));
    } else {
      await call("POST /api/products", { body, key: keyOf(body) });
    }
    open(`/desk/products/${body.code}`);
    tell(t.product.saved(body.name));
  });
  const { values } = form;
  const quote = useQuote(/^[A-Za-z]{3}$/.test(values.currency) ? { amount: values.example, currency: values.currency.toUpperCase(), terms: termsOf(values) } : null);
  return html`<div class="columns form-and-quote">
    <${Form} form=${form} label=${product ? t.save : t.product.create}>
      <div class="columns">
        ${!product && html`<${Field} form=${form} name="code" label=${t.product.code} hint=${t.product.codeHint} autocomplete="off" />`}
        <${Field} form=${form} name="name" label=${t.product.name} autocomplete="off" />
        ${!product && html`<${Field} form=${form} name="currency" label=${t.portfolio.currency} hint=${t.product.currencyHint} autocomplete="off" />`}
        <${Decimal} form=${form} name="min_amount" label=${t.product.min_amount} />
        <${Decimal} form=${form} name="max_amount" label=${t.product.max_amount} />
        <${Count} form=${form} name="min_instalments" label=${t.product.min_instalments} />
        <${Count} form=${form} name="max_instalments" label=${t.product.max_instalments} />
        <${Decimal} form=${form} name="min_rate_apr" label=${t.product.min_rate_apr} />
        <${Decimal} form=${form} name="max_rate_apr" label=${t.product.max_rate_apr} />
      </div>
      <${Field} form=${form} name="active" type="checkbox" label=${t.product.activeHint} />
      <${Field} form=${form} name="is_default" type="checkbox" label=${t.product.defaultHint} />
      <${Field} form=${form} name="requires_kyc" type="checkbox" label=${t.product.kycHint} />
      <h2>${t.loan.terms}</h2>
      <${TermsFields} form=${form} calendars=${calendars} />
    <//>
    <${Section} title=${t.product.live} class="sticky">
      <${Decimal} form=${form} name="example" label=${t.product.example} />
      <${Quote} of=${quote} open />
    <//>
  </div>`;
}

export default function EditProduct({ path: { code } }) {
  const found = useLoad(
    async (signal) => {
      const [product, calendars] = await Promise.all([
        code ? call("GET /api/products/{code}", { path: { code }, signal }) : null,
        callAll("GET /api/calendars", { signal }),
      ]);
      return { product, calendars };
    },
    [code],
  );
  return html`<${Heading} text=${code ? t.product.editing(found.data?.product.name ?? code) : t.product.create} />
    ${code && html`<p class="muted">${t.product.editAbout}</p>`}
    <${Loaded} of=${found} lines=${8}>
      ${({ product, calendars }) => html`<${ProductForm} product=${product} calendars=${calendars} key=${product?.version} />`}
    <//>`;
}
