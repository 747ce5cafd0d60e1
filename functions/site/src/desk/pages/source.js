/** A source of payments: its settings, its address for the provider, and the notices that it refused. */
import { call } from "../api.js";
import { openDialog } from "../dialog.js";
import { Facts, Status } from "../facts.js";
import { Form, useForm } from "../forms.js";
import { minute } from "../format.js";
import { Heading, Section } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { Loaded, useLoad } from "../load.js";
import { html, useState } from "../ui.js";
import { t } from "../words.js";
import { Command } from "./command.js";
import { Secrets } from "./source-secrets.js";

const HOOKED = ["mpesa", "json"];

function Edit({ source, close }) {
  const words = t.sources.edit;
  const isMpesa = source.provider === "mpesa";
  const addresses = source.addresses.join("\n");
  return html`<${Command}
    title=${words.title}
    about=${words.about}
    button=${words.button}
    close=${close}
    fields=${[
      { name: "name", label: t.product.name, value: source.name },
      { name: "active", label: words.active, type: "checkbox", value: source.active },
      ...(isMpesa ? [{ name: "validation", label: t.sources.validation, options: Object.entries(t.sources.validations), value: source.validation }] : []),
      ...(HOOKED.includes(source.provider) ? [{ name: "addresses", label: t.sources.addresses, type: "textarea", hint: t.sources.addressesHint, optional: true, value: addresses }] : []),
    ]}
    send=${async ({ addresses: lines = "", ...values }) => {
      const body = lines === addresses ? values : { ...values, addresses: lines.split(/\s+/).filter(Boolean) };
      await call("PATCH /api/payment-sources/{code}", { path: { code: source.code }, body });
      return words.done(source.name);
    }}
  />`;
}

/** A new address and secret; the old ones go on for a day, so that the provider can be told. */
function Rotate({ source, close }) {
  const [made, setMade] = useState(null);
  const path = { code: source.code };
  const form = useForm({}, async () => setMade(await call("POST /api/payment-sources/{code}/rotate", { path, body: {} })));
  if (made) return html`<${Secrets} source=${made} close=${close} />`;
  return html`<h2>${t.sources.rotate.title}</h2>
    <p>${t.sources.rotate.about}</p>
    <${Form} form=${form} label=${t.sources.rotate.button} cancel=${close} />`;
}

const refusedColumns = [
  { label: t.payments.receivedAt, head: true, cell: (it) => html`<span class="nobreak">${minute(it.received_at)}</span>` },
  { label: t.sources.via, cell: (it) => it.via },
  { label: t.sources.why, cell: (it) => it.detail },
  { label: t.payments.raw, cell: (it) => html`<details><summary>${t.sources.show}</summary><pre tabindex="0">${it.raw}</pre></details>` },
];

function Refused({ code }) {
  const list = usePages("GET /api/payment-sources/{code}/refused", { path: { code } });
  return html`<${Section} title=${t.sources.refused}>
    <p class="muted">${t.sources.refusedAbout}</p>
    <${Paged} of=${list} label=${t.sources.refused} columns=${refusedColumns} empty=${t.sources.noRefused} />
  <//>`;
}

export default function Source({ path: { code } }) {
  const found = useLoad((signal) => call("GET /api/payment-sources/{code}", { path: { code }, signal }), [code]);
  const source = found.data;
  const button = (words, Dialog) => html`<button type="button" onClick=${() => openDialog((close) => html`<${Dialog} source=${source} close=${close} />`)}>${words.button}</button>`;
  return html`<${Heading} text=${source?.name ?? code} over=${source && html`${t.payments.source} <${Status} of=${source.active ? "active" : "inactive"} />`}>
      ${source && html`<a class="button" href="/desk/payments?state=all&source=${code}">${t.nav.payments}</a>`} ${source && button(t.sources.edit, Edit)}
      ${source && HOOKED.includes(source.provider) && button(t.sources.rotate, Rotate)}
    <//>
    <${Loaded} of=${found}>
      ${(it) => html`<${Facts}
        of=${[
          [t.product.code, html`<code>${it.code}</code>`],
          [t.sources.provider, t.sources.providers[it.provider]],
          [t.sources.account, it.account],
          [t.portfolio.currency, it.currency],
          [t.sources.zone, it.time_zone],
          it.provider === "mpesa" && [t.sources.validation, t.sources.validations[it.validation]],
          it.addresses.length > 0 && [t.sources.addresses, it.addresses.join(", ")],
        ]}
      />`}
    <//>
    ${source && HOOKED.includes(source.provider) && html`<${Refused} code=${code} />`}`;
}
