/** Payments that arrived: what waits in suspense first. */
import { call, callAll } from "../api.js";
import { openDialog } from "../dialog.js";
import { Choice, DateChoice, Status } from "../facts.js";
import { Amount, amount, date, isZero } from "../format.js";
import { Heading, Section } from "../layout.js";
import { Paged, usePages } from "../lists.js";
import { useLoad } from "../load.js";
import { useQuery } from "../router.js";
import { html, useState } from "../ui.js";
import { t } from "../words.js";
import { Command } from "./command.js";

/** Who paid, as the provider tells it. */
export const payerOf = ({ name, phone, account }) => [name, phone, account].filter(Boolean).join(", ") || t.none;

const columns = [
  { label: t.payments.paidOn, head: true, cell: (it) => html`<a href="/desk/payments/${it.id}" class="nobreak">${date(it.paid_on)}</a>` },
  { label: t.loan.amount, number: true, cell: (it) => html`<${Amount} of=${it.amount} currency=${it.currency} />` },
  { label: t.payments.unapplied, number: true, cell: (it) => (isZero(it.unapplied) ? t.none : html`<${Amount} of=${it.unapplied} />`) },
  { label: t.loan.status, cell: (it) => html`<${Status} of=${it.state} />` },
  { label: t.payments.payer, cell: (it) => payerOf(it.payer) },
  { label: t.payments.reference, cell: (it) => it.reference ?? t.none },
  { label: t.payments.receipt, cell: (it) => html`<code>${it.external_id}</code>` },
  { label: t.payments.source, cell: (it) => it.source },
];

const STATES = ["unapplied", "partly_applied", "applied", "returned"];

/** The states of payments with money that waits. */
const WAITING = ["unapplied", "partly_applied"];

/** Payments in a state, or in any. */
function List({ query, label, empty }) {
  const list = usePages("GET /api/payments", { query });
  return html`<${Paged} of=${list} label=${label} columns=${columns} empty=${empty} />`;
}

/** A payment that no provider tells of, such as one at the counter. */
function Enter({ sources, close }) {
  const manual = sources.filter(({ provider, active }) => provider === "manual" && active);
  return html`<${Command}
    title=${t.payments.enter}
    about=${t.payments.enterAbout}
    button=${t.payments.enterButton}
    close=${close}
    fields=${[
      { name: "source", label: t.payments.source, options: manual.map(({ code, name, currency }) => [code, `${name} (${currency})`]), value: manual[0].code },
      { name: "external_id", label: t.payments.receipt, hint: t.payments.receiptHint, autocomplete: "off" },
      { name: "amount", label: t.loan.amount, inputmode: "decimal", autocomplete: "off" },
      { name: "paid_at", label: t.payments.paidOn, type: "date" },
      { name: "reference", label: t.payments.reference, hint: t.payments.referenceHint, autocomplete: "off", optional: true },
      { name: "payer.name", label: t.payments.payer, autocomplete: "off", optional: true },
    ]}
    send=${async ({ "payer.name": name, ...values }) => {
      const { currency } = manual.find(({ code }) => code === values.source);
      const made = await call("POST /api/payments", { body: { ...values, currency, ...(name && { payer: { name } }) } });
      return t.payments.entered(amount(made.amount, made.currency), t.status[made.state]);
    }}
  />`;
}

/** Finds payments by a receipt's number, a reference or a payer. */
function Find() {
  const [by, setBy] = useQuery("by", "payer");
  const [found, setFound] = useQuery("find");
  const [text, setText] = useState(found);
  const find = (event) => {
    event.preventDefault();
    setFound(text.trim());
  };
  return html`<form class="choice" onSubmit=${find} role="search">
    <${Choice} label=${t.payments.findBy} value=${by} onChange=${setBy} options=${Object.entries(t.payments.findBys)} />
    <label>${t.search} <input type="search" value=${text} onInput=${({ target }) => setText(target.value)} /></label>
    <button type="submit">${t.find}</button>
  </form>`;
}

export default function Payments({ user }) {
  const isAdmin = user.role === "admin";
  const [state, setState] = useQuery("state", "waiting");
  const [source, setSource] = useQuery("source");
  const [from, setFrom] = useQuery("from");
  const [to, setTo] = useQuery("to");
  const [by] = useQuery("by", "payer");
  const [find] = useQuery("find");
  const sources = useLoad(async (signal) => (isAdmin ? callAll("GET /api/payment-sources", { signal }) : []), [user.id]);
  const query = { source, from, to, [by]: find };
  const known = sources.data ?? [];
  const mayEnter = known.some(({ provider, active }) => provider === "manual" && active);
  return html`<${Heading} text=${t.nav.payments}>
      ${mayEnter && html`<button type="button" class="primary" onClick=${() => openDialog((close) => html`<${Enter} sources=${known} close=${close} />`)}>${t.payments.enter}</button>`}
      ${isAdmin && html`<a class="button" href="/desk/sources">${t.sources.title}</a>`}
    <//>
    <p class="muted">${t.payments.about}</p>
    <div class="filters">
      <${Choice} label=${t.loan.status} value=${state} onChange=${setState} options=${[["waiting", t.payments.waiting], ...STATES.map((it) => [it, t.status[it]]), ["all", t.all]]} />
      ${known.length > 0 && html`<${Choice} label=${t.payments.source} value=${source} onChange=${setSource} options=${[["", t.all], ...known.map(({ code, name }) => [code, name])]} />`}
      <${DateChoice} label=${t.loans.from} value=${from} onChange=${setFrom} />
      <${DateChoice} label=${t.loans.to} value=${to} onChange=${setTo} />
      <${Find} />
    </div>
    ${state === "waiting"
      ? WAITING.map(
          (it) => html`<${Section} key=${it} title=${t.status[it]}><${List} query=${{ ...query, state: it }} label=${t.status[it]} empty=${find ? t.payments.none : t.payments.noneWaiting} /><//>`,
        )
      : html`<${List} query=${{ ...query, state: state === "all" ? "" : state }} label=${t.nav.payments} empty=${t.payments.none} />`}`;
}
