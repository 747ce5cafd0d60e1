/** A customer's profile: who they are, as a lender has to know it. Staff change it; every version is kept. */
import { call } from "../api.js";
import { closeDialog, openDialog, tell } from "../dialog.js";
import { Facts } from "../facts.js";
import { Form, useForm } from "../forms.js";
import { amount, date } from "../format.js";
import { Section } from "../layout.js";
import { Empty, Loaded, refresh, useLoad } from "../load.js";
import { Phone } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { ProfileFields, fieldsOf, nested } from "./profile-fields.js";

/** A profile with its version, which is 0 where there is none yet. */
const useProfile = (id) =>
  useLoad(async (signal) => {
    let version;
    const seen = (headers) => {
      version = headers.get("ETag")?.replace(/^W\/|"/g, "");
    };
    const profile = await call("GET /api/customers/{id}/profile", { path: { id }, signal, seen });
    return { profile, version };
  }, [id]);

function Edit({ id, profile, version, name }) {
  const form = useForm(fieldsOf(profile), async (values) => {
    await call("PUT /api/customers/{id}/profile", { path: { id }, body: nested(values), version });
    closeDialog();
    tell(t.personal.saved(name));
    refresh();
  });
  return html`<h2>${t.personal.edit}</h2>
    <p>${t.personal.about}</p>
    <${Form} form=${form} label=${t.save} cancel=${closeDialog}><${ProfileFields} form=${form} /><//>`;
}

const joined = (...parts) => parts.filter(Boolean).join(", ") || undefined;

function Known({ of: profile }) {
  const words = t.personal;
  const { national_id: identity, address = {}, monthly_income: income, next_of_kin: kin } = profile;
  const entries = [
    profile.date_of_birth && [words.date_of_birth, date(profile.date_of_birth)],
    profile.gender && [words.gender, profile.gender],
    identity && [words.identity, html`${identity.kind} <code>${identity.number}</code>, ${identity.country}`],
    Object.keys(address).length > 0 && [
      words.address,
      joined(address.line1, address.line2, address.city, address.region, address.postal_code, address.country),
    ],
    profile.occupation && [words.occupation, profile.occupation],
    income && [words.income, amount(income.amount, income.currency)],
    kin && [words.kin, html`${joined(kin.full_name, kin.relation) ?? ""} ${kin.phone && html`<${Phone} number=${kin.phone} />`}`],
  ].filter(Boolean);
  return entries.length ? html`<${Facts} of=${entries} />` : html`<${Empty}>${words.none}<//>`;
}

/** The part of a page with a profile. `mayEdit` adds the button. */
export default function CustomerProfile({ id, name, mayEdit }) {
  const found = useProfile(id);
  const edit = () => openDialog(() => html`<${Edit} id=${id} name=${name} ...${found.data} />`);
  return html`<${Section}
    title=${t.personal.title}
    actions=${mayEdit && found.data && html`<button type="button" onClick=${edit}>${t.personal.edit}</button>`}
  >
    <${Loaded} of=${found}>${({ profile }) => html`<${Known} of=${profile} />`}<//>
  <//>`;
}
