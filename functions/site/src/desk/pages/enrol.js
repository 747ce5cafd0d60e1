/** Enrol a customer who needs no password: who they are, how to reach them, and what is known of them. */
import { call } from "../api.js";
import { tell } from "../dialog.js";
import { Field, Form, useForm } from "../forms.js";
import { Heading } from "../layout.js";
import { nameOf } from "../people.js";
import { open } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { AgentField } from "./agent-choice.js";
import { ProfileFields, fieldsOf, nested } from "./profile-fields.js";

const UNDER = "profile.";

export default function Enrol({ user: me }) {
  const initial = { full_name: "", phone: "", email: "", external_id: "", username: "", agent_id: "", ...fieldsOf({}, UNDER) };
  const form = useForm(initial, async (values) => {
    const customer = await call("POST /api/customers", { body: nested(values) });
    open(`/desk/customers/${customer.id}`);
    tell(t.enrol.done(nameOf(customer)));
  });
  return html`<${Heading} text=${t.enrol.title} />
    <p class="muted">${t.enrol.about}</p>
    <${Form} form=${form} label=${t.enrol.button} class="wide-form">
      <div class="columns">
        <${Field} form=${form} name="full_name" label=${t.person.full_name} autocomplete="off" />
        <${Field} form=${form} name="phone" label=${t.person.phone} hint=${t.person.phoneHint} type="tel" autocomplete="off" />
        <${Field} form=${form} name="email" label=${t.person.email} type="email" autocomplete="off" optional />
      </div>
      <div class="columns">
        <${Field} form=${form} name="external_id" label=${t.person.external_id} hint=${t.person.externalIdHint} autocomplete="off" optional />
        <${Field} form=${form} name="username" label=${t.person.username} hint=${t.enrol.usernameHint} autocomplete="off" autocapitalize="none" optional />
        ${me.role === "admin" && html`<${AgentField} form=${form} name="agent_id" label=${t.agents.agent} none=${t.customers.noAgent} />`}
      </div>
      <details class="more-fields">
        <summary>${t.personal.title}</summary>
        <${ProfileFields} form=${form} under=${UNDER} />
      </details>
    <//>`;
}
