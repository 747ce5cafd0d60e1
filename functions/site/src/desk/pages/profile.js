/** The own profile: how to reach oneself, the password, other sessions. */
import { call } from "../api.js";
import { Code, useCodedForm } from "../code.js";
import { tell } from "../dialog.js";
import { Facts } from "../facts.js";
import { Field, Form, UsernameOf, useForm } from "../forms.js";
import { Heading, Section } from "../layout.js";
import { Lazy, Loaded, useLoad } from "../load.js";
import { session, setSession } from "../session.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { SecondFactor } from "./second-factor.js";

/** The fields of a user that can change, with those that did. */
export const changed = (before, after) =>
  Object.fromEntries(
    Object.entries(after)
      .map(([name, value]) => [name, value === "" ? null : value])
      .filter(([name, value]) => value !== (before[name] ?? null)),
  );

function Contact({ user, done }) {
  const { full_name, email, phone } = user;
  const form = useForm({ full_name: full_name ?? "", email: email ?? "", phone: phone ?? "" }, async (values) => {
    const now = await call("PATCH /api/auth/me", { body: changed(user, values) });
    setSession({ ...session.get(), user: now });
    tell(t.profile.saved);
    done(now);
  });
  return html`<${Form} form=${form} label=${t.save}>
    <${Field} form=${form} name="full_name" label=${t.person.full_name} autocomplete="name" optional />
    <${Field} form=${form} name="email" label=${t.person.email} type="email" autocomplete="email" />
    <${Field} form=${form} name="phone" label=${t.person.phone} hint=${t.person.phoneHint} type="tel" autocomplete="tel" />
  <//>`;
}

function NewPassword({ user }) {
  const empty = { current_password: "", new_password: "" };
  const { form, isAsked } = useCodedForm(empty, "current_password", async (body) => {
    await call("PUT /api/auth/password", { body });
    form.setValues(empty);
    tell(t.profile.passwordChanged);
  });
  return html`<${Form} form=${form} label=${t.profile.changePassword}>
    <${UsernameOf} name=${user.username} />
    <${Field} form=${form} name="current_password" label=${t.profile.currentPassword} type="password" autocomplete="current-password" />
    <${Field} form=${form} name="new_password" label=${t.profile.newPassword} hint=${t.person.passwordHint} type="password" autocomplete="new-password" />
    ${isAsked && html`<${Code} form=${form} />`}
  <//>`;
}

const PERSONAL = () => import("./customer-profile.js");

export default function Profile({ user }) {
  const me = useLoad((signal) => call("GET /api/auth/me", { signal }), []);
  const endAll = async () => {
    await call("POST /api/auth/logout", { query: { all: true } });
    setSession(null);
  };
  return html`<${Heading} text=${t.profile.title} />
    <${Facts} of=${[[t.person.username, user.username], [t.person.role, t.roles[user.role]]]} />
    <div class="columns">
      <${Section} title=${t.profile.contact}>
        <${Loaded} of=${me}>${(found) => html`<${Contact} user=${found} done=${me.set} key=${[found.full_name, found.email, found.phone].join("\n")} />`}<//>
      <//>
      <${Section} title=${t.person.password}>
        <p class="muted">${t.profile.passwordAbout}</p>
        <${NewPassword} user=${user} />
      <//>
      <${Section} title=${t.code.title}>
        <${Loaded} of=${me}>${(found) => html`<${SecondFactor} user=${found} done=${me.reload} />`}<//>
      <//>
      <${Section} title=${t.profile.sessions}>
        <p>${t.profile.sessionsAbout}</p>
        <button type="button" onClick=${endAll}>${t.profile.endSessions}</button>
      <//>
    </div>
    ${user.role === "customer" && html`<${Lazy} load=${PERSONAL} id=${user.id} />`}`;
}
