/** Where payments come from: paybills, banks, counters. */
import { call } from "../api.js";
import { openDialog } from "../dialog.js";
import { Status } from "../facts.js";
import { Field, Form, filled, useForm } from "../forms.js";
import { Heading } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { refresh } from "../load.js";
import { html, useState } from "../ui.js";
import { t } from "../words.js";
import { Secrets } from "./source-secrets.js";

const columns = [
  { label: t.product.name, head: true, cell: (it) => html`<a href="/desk/sources/${it.code}">${it.name}</a>` },
  { label: t.product.code, cell: (it) => html`<code>${it.code}</code>` },
  { label: t.sources.provider, cell: (it) => t.sources.providers[it.provider] },
  { label: t.sources.account, cell: (it) => it.account },
  { label: t.portfolio.currency, cell: (it) => it.currency },
  { label: t.loan.status, cell: (it) => html`<${Status} of=${it.active ? "active" : "inactive"} />` },
];

/** A new source, then what the provider has to be given, which is shown once. */
function NewSource({ close }) {
  const [made, setMade] = useState(null);
  const initial = { name: "", code: "", provider: "mpesa", account: "", currency: "", validation: "open" };
  const form = useForm(initial, async ({ validation, ...values }) => {
    const body = filled({ ...values, validation: values.provider === "mpesa" ? validation : "" });
    setMade(await call("POST /api/payment-sources", { body }));
    refresh();
  });
  if (made) return html`<${Secrets} source=${made} close=${close} />`;
  const words = t.sources;
  return html`<h2>${words.create}</h2>
    <${Form} form=${form} label=${words.createButton} cancel=${close}>
      <${Field} form=${form} name="name" label=${t.product.name} autocomplete="off" />
      <${Field} form=${form} name="code" label=${t.product.code} hint=${words.codeHint} autocomplete="off" autocapitalize="none" />
      <${Field} form=${form} name="provider" label=${words.provider} options=${Object.entries(words.providers)} />
      <${Field} form=${form} name="account" label=${words.account} hint=${words.accountHint[form.values.provider]} autocomplete="off" />
      <${Field} form=${form} name="currency" label=${t.portfolio.currency} hint=${t.product.currencyHint} autocomplete="off" />
      ${form.values.provider === "mpesa" && html`<${Field} form=${form} name="validation" label=${words.validation} options=${Object.entries(words.validations)} />`}
    <//>`;
}

export default function Sources() {
  const list = usePages("GET /api/payment-sources");
  return html`<${Heading} text=${t.sources.title}>
      <button type="button" class="primary" onClick=${() => openDialog((close) => html`<${NewSource} close=${close} />`)}>${t.sources.create}</button>
    <//>
    <p class="muted">${t.sources.about}</p>
    <${Paged} of=${list} label=${t.sources.title} columns=${columns} keyOf=${(it) => it.code} empty=${t.sources.none} />`;
}
