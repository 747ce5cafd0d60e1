/** The terms of a product as fields, and as the interface takes them. */
import { Count, DateField, Decimal, Field, filled, whole } from "../forms.js";
import { html } from "../ui.js";
import { t } from "../words.js";

const COMPONENTS = ["penalty", "fee", "interest", "principal"];
const BUCKETS = ["past_due", "due", "in_advance"];

/** Values of the fields for terms as they are. */
export function valuesOf(terms) {
  const simple = ["interest_rate_apr", "instalments", "repay_every", "repay_unit", "first_due_on", "interest_method", "amortization", "interest_period", "interest_accrual", "day_count", "rounding", "smallest_amount", "instalment_multiple", "month_end", "prepayment"];
  const values = Object.fromEntries(simple.map((name) => [`terms.${name}`, terms[name] === null ? "" : String(terms[name])]));
  for (const [name, count] of Object.entries(terms.grace)) values[`terms.grace.${name}`] = String(count);
  values.fees = terms.fees.map(({ code, when, amount, percent }) => ({ code, when, kind: amount === undefined || amount === null ? "percent" : "amount", value: amount ?? percent ?? "" }));
  const isList = Array.isArray(terms.allocation);
  values["terms.allocation"] = isList ? "own" : terms.allocation;
  values.groups = isList ? terms.allocation : [{ buckets: BUCKETS, components: COMPONENTS }];
  values["terms.calendar.code"] = terms.calendar?.code ?? "";
  values["terms.calendar.rule"] = terms.calendar?.rule ?? "following";
  values.hasLateFee = Boolean(terms.late_fee);
  for (const name of ["kind", "value", "grace_days", "max_times"]) values[`terms.late_fee.${name}`] = String(terms.late_fee?.[name] ?? { kind: "flat", value: "", grace_days: 0, max_times: 1 }[name]);
  return values;
}

/** The terms that a product starts with. */
export const NEW_TERMS = {
  interest_rate_apr: "24",
  instalments: 12,
  repay_every: 1,
  repay_unit: "month",
  first_due_on: null,
  interest_method: "declining_balance",
  amortization: "equal_instalments",
  interest_period: "repayment_period",
  interest_accrual: "scheduled",
  day_count: "30/360",
  rounding: "half_even",
  smallest_amount: null,
  instalment_multiple: null,
  month_end: "clamp",
  grace: { principal: 0, interest_payment: 0, interest_free: 0 },
  fees: [],
  allocation: "penalty_fee_interest_principal",
  late_fee: null,
  prepayment: "next_instalments",
  calendar: null,
};

/** The terms that the fields say. */
export function termsOf(values) {
  const at = (name) => values[`terms.${name}`];
  const counts = Object.fromEntries(["instalments", "repay_every"].map((name) => [name, at(name) && whole(at(name))]));
  const texts = ["interest_rate_apr", "repay_unit", "interest_method", "amortization", "interest_period", "interest_accrual", "day_count", "rounding", "month_end", "prepayment"];
  const late = (name) => values[`terms.late_fee.${name}`];
  return {
    ...filled({ ...counts, ...Object.fromEntries(texts.map((name) => [name, at(name)])) }),
    first_due_on: at("first_due_on") || null,
    smallest_amount: at("smallest_amount") || null,
    instalment_multiple: at("instalment_multiple") || null,
    grace: Object.fromEntries(["principal", "interest_payment", "interest_free"].map((name) => [name, whole(values[`terms.grace.${name}`] || "0")])),
    fees: values.fees.map(({ code, when, kind, value }) => ({ code, when, [kind]: value })),
    allocation: at("allocation") === "own" ? values.groups : at("allocation"),
    late_fee: values.hasLateFee
      ? { kind: late("kind"), value: late("value"), grace_days: whole(late("grace_days")), max_times: whole(late("max_times")) }
      : null,
    calendar: at("calendar.code") ? { code: at("calendar.code"), rule: at("calendar.rule") } : null,
  };
}

const options = (group) => Object.entries(t.terms[group]);

/** The values that go with interest by the balance of each day: others are refused. */
const WITH_DAILY_INTEREST = {
  interest_method: ["declining_balance"],
  amortization: ["equal_instalments"],
  interest_period: ["daily"],
  prepayment: ["next_instalments", "last_instalments"],
  "grace.interest_payment": ["0", ""],
  "grace.interest_free": ["0", ""],
};

/** The hint beside a field whose value does not go with the interest that was chosen. */
function hintOf(form, name) {
  const isRefused = form.values["terms.interest_accrual"] === "daily" && WITH_DAILY_INTEREST[name]?.includes(form.values[`terms.${name}`]) === false;
  return isRefused ? t.terms.notWithDailyInterest : undefined;
}

/** A choice among words of the interface. */
const Chosen = ({ form, name, group, hint }) =>
  html`<${Field} form=${form} name="terms.${name}" label=${t.terms[name]} options=${options(group)} hint=${hint ?? hintOf(form, name)} />`;

/** Changes one entry of a list in the values. */
function changer(form, list) {
  const entries = form.values[list];
  return {
    entries,
    add: (entry) => form.set(list, [...entries, entry]),
    remove: (place) => form.set(list, entries.filter((_, other) => other !== place)),
    change: (place, changes) => form.set(list, entries.map((entry, other) => (other === place ? { ...entry, ...changes } : entry))),
  };
}

const errorsOf = (form, start) => form.errors.filter(({ pointer }) => pointer.startsWith(start)).map(({ pointer, detail }) => html`<p class="error" key=${pointer}>${detail}</p>`);

function Fees({ form }) {
  const { entries, add, remove, change } = changer(form, "fees");
  const control = (place, name, label, attributes = {}) =>
    html`<label class="choice">${label} <input value=${entries[place][name]} onInput=${({ target }) => change(place, { [name]: target.value })} autocomplete="off" ...${attributes} /></label>`;
  const choice = (place, name, label, group) =>
    html`<label class="choice">${label} <select value=${entries[place][name]} onChange=${({ target }) => change(place, { [name]: target.value })}>${options(group).map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}</select></label>`;
  return html`<fieldset>
    <legend>${t.loan.fees}</legend>
    ${entries.map(
      (_, place) => html`<div class="filters" key=${place}>
        ${control(place, "code", t.commands.chargeCode)} ${choice(place, "when", t.terms.when, "whens")} ${choice(place, "kind", t.terms.feeKind, "feeKinds")}
        ${control(place, "value", t.terms.value, { inputmode: "decimal" })}
        <button type="button" class="small" onClick=${() => remove(place)}>${t.terms.remove}</button>
        ${errorsOf(form, `/terms/fees/${place}`)}
      </div>`,
    )}
    <button type="button" class="small" onClick=${() => add({ code: "", when: "disbursement", kind: "amount", value: "" })}>${t.terms.addFee}</button>
  </fieldset>`;
}

function Groups({ form }) {
  const { entries, add, remove, change } = changer(form, "groups");
  const toggle = (list, value) => (list.includes(value) ? list.filter((other) => other !== value) : [...list, value]);
  const boxes = (place, name, all, words) =>
    all.map(
      (value) => html`<label class="box" key=${value}
        ><input type="checkbox" checked=${entries[place][name].includes(value)} onChange=${() => change(place, { [name]: toggle(entries[place][name], value) })} />
        ${words[value]}${name === "components" && entries[place][name].includes(value) && html` <small>${entries[place][name].indexOf(value) + 1}</small>`}</label
      >`,
    );
  return html`<fieldset>
    <legend>${t.terms.groups}</legend>
    <p class="hint">${t.terms.groupsHint}</p>
    ${entries.map(
      (_, place) => html`<div class="filters" key=${place}>
        <span>${place + 1}.</span> ${boxes(place, "buckets", BUCKETS, t.terms.buckets)} <span>·</span> ${boxes(place, "components", COMPONENTS, t.components)}
        <button type="button" class="small" onClick=${() => remove(place)}>${t.terms.remove}</button>
      </div>`,
    )}
    <button type="button" class="small" onClick=${() => add({ buckets: [], components: [] })}>${t.terms.addGroup}</button>
    ${errorsOf(form, "/terms/allocation")}
  </fieldset>`;
}

/** All fields of terms. */
export function TermsFields({ form, calendars }) {
  const codes = [["", t.terms.noCalendar], ...calendars.map(({ code, name }) => [code, name])];
  return html`
    <div class="columns">
      <${Decimal} form=${form} name="terms.interest_rate_apr" label=${t.terms.interest_rate_apr} />
      <${Count} form=${form} name="terms.instalments" label=${t.terms.instalments} />
      <${Count} form=${form} name="terms.repay_every" label=${t.terms.repay_every} />
      <${Chosen} form=${form} name="repay_unit" group="repay_units" />
      <${Chosen} form=${form} name="interest_method" group="interest_methods" />
      <${Chosen} form=${form} name="amortization" group="amortizations" />
      <${Chosen} form=${form} name="interest_period" group="interest_periods" />
      <${Chosen} form=${form} name="interest_accrual" group="interest_accruals" hint=${t.terms.interestAccrualHint} />
      <${Chosen} form=${form} name="day_count" group="day_counts" />
      <${Chosen} form=${form} name="rounding" group="roundings" />
      <${Decimal} form=${form} name="terms.smallest_amount" label=${t.terms.smallest_amount} optional />
      <${Decimal} form=${form} name="terms.instalment_multiple" label=${t.terms.instalment_multiple} optional />
      <${Chosen} form=${form} name="month_end" group="month_ends" />
      <${DateField} form=${form} name="terms.first_due_on" label=${t.terms.first_due_on} optional />
      <${Chosen} form=${form} name="prepayment" group="prepayments" />
      ${Object.keys(t.terms.graces).map((name) => html`<${Count} key=${name} form=${form} name="terms.grace.${name}" label=${t.terms.graces[name]} hint=${hintOf(form, `grace.${name}`)} />`)}
      <${Field} form=${form} name="terms.calendar.code" label=${t.terms.calendar} options=${codes} />
      ${form.values["terms.calendar.code"] && html`<${Field} form=${form} name="terms.calendar.rule" label=${t.terms.calendarRule} options=${options("calendarRules")} />`}
      <${Field} form=${form} name="terms.allocation" label=${t.terms.allocation} options=${[...options("allocations"), ["own", t.terms.own]]} />
    </div>
    ${form.values["terms.allocation"] === "own" && html`<${Groups} form=${form} />`}
    <${Fees} form=${form} />
    <${Field} form=${form} name="hasLateFee" type="checkbox" label=${t.terms.hasLateFee} />
    ${form.values.hasLateFee &&
    html`<div class="columns">
      <${Field} form=${form} name="terms.late_fee.kind" label=${t.terms.feeKind} options=${options("lateFeeKinds")} />
      <${Decimal} form=${form} name="terms.late_fee.value" label=${t.terms.value} />
      <${Count} form=${form} name="terms.late_fee.grace_days" label=${t.terms.graceDays} />
      <${Count} form=${form} name="terms.late_fee.max_times" label=${t.terms.maxTimes} />
    </div>`}
  `;
}
