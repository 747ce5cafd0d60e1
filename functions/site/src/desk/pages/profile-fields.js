/** The fields of a customer's profile, named by their places in the body. */
import { DateField, Decimal, Field, filled } from "../forms.js";
import { html } from "../ui.js";
import { t } from "../words.js";

const ADDRESS = ["line1", "line2", "city", "region", "postal_code", "country"];
const KIN = ["full_name", "phone", "relation"];
const PLACES = [
  "date_of_birth",
  "gender",
  "occupation",
  ...["country", "kind", "number"].map((name) => `national_id.${name}`),
  ...ADDRESS.map((name) => `address.${name}`),
  "monthly_income.amount",
  "monthly_income.currency",
  ...KIN.map((name) => `next_of_kin.${name}`),
];

/** The first contents of the fields of a profile. */
export const fieldsOf = (profile, under = "") =>
  Object.fromEntries(PLACES.map((place) => [under + place, place.split(".").reduce((part, name) => part?.[name], profile) ?? ""]));

/** A body of fields that are named by their places, `address.city` for `{address: {city}}`; empty ones are left out. */
export function nested(values) {
  const body = {};
  for (const [place, value] of Object.entries(filled(values))) {
    const names = place.split(".");
    const last = names.pop();
    const part = names.reduce((at, name) => (at[name] ??= {}), body);
    part[last] = value;
  }
  return body;
}

/** The fields. `under` is the place of the profile in the body, `profile.` where it is a part of it. */
export function ProfileFields({ form, under = "" }) {
  const words = t.personal;
  const field = (name, label, more = {}) => html`<${Field} form=${form} name=${under + name} label=${label} autocomplete="off" ...${more} />`;
  return html`<div class="columns">
      <${DateField} form=${form} name="${under}date_of_birth" label=${words.date_of_birth} />
      ${field("gender", words.gender)} ${field("occupation", words.occupation)}
    </div>
    <fieldset>
      <legend>${words.identity}</legend>
      <div class="columns">
        ${field("national_id.country", words.country, { hint: words.countryHint, maxlength: 2 })}
        ${field("national_id.kind", words.kind, { hint: words.kindHint })} ${field("national_id.number", words.number)}
      </div>
    </fieldset>
    <fieldset>
      <legend>${words.address}</legend>
      <div class="columns">${ADDRESS.map((name) => field(`address.${name}`, words[name], name === "country" ? { hint: words.countryHint, maxlength: 2 } : {}))}</div>
    </fieldset>
    <fieldset>
      <legend>${words.income}</legend>
      <div class="columns">
        <${Decimal} form=${form} name="${under}monthly_income.amount" label=${t.loan.amount} />
        ${field("monthly_income.currency", t.portfolio.currency, { hint: words.currencyHint, maxlength: 3 })}
      </div>
    </fieldset>
    <fieldset>
      <legend>${words.kin}</legend>
      <div class="columns">
        ${field("next_of_kin.full_name", t.person.full_name)} ${field("next_of_kin.phone", t.person.phone, { type: "tel", hint: t.person.phoneHint })}
        ${field("next_of_kin.relation", words.relation)}
      </div>
    </fieldset>`;
}
