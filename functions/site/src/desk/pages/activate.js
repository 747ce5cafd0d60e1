/** Set a password with a code that somebody of the lender has handed out. */
import { call } from "../api.js";
import { Code, useCodedForm } from "../code.js";
import { tell } from "../dialog.js";
import { Field, Form } from "../forms.js";
import { html, useEffect, useState } from "../ui.js";
import { t } from "../words.js";

export default function Activate() {
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    document.title = `${t.activate.title} · ${t.brand}`;
  }, []);
  const empty = { username: "", code: "", new_password: "" };
  const { form, isAsked } = useCodedForm(empty, "code", async (values) => {
    const body = { ...values, code: values.code.replace(/[\s-]/g, "") };
    await call("POST /api/auth/activate", { body, anyone: true });
    tell("");
    setDone(true);
  });
  if (isDone) {
    return html`<main class="door">
      <h1>${t.activate.doneTitle}</h1>
      <p role="status">${t.activate.done}</p>
      <p><a href="/desk">${t.login.title}</a></p>
    </main>`;
  }
  return html`<main class="door">
    <h1>${t.activate.title}</h1>
    <p class="muted">${t.activate.about}</p>
    <${Form} form=${form} label=${t.activate.button}>
      <${Field} form=${form} name="username" label=${t.person.username} autocomplete="username" autocapitalize="none" />
      <${Field} form=${form} name="code" label=${t.activation.code} hint=${t.activate.codeHint} inputmode="numeric" autocomplete="one-time-code" />
      <${Field} form=${form} name="new_password" label=${t.profile.newPassword} hint=${t.person.passwordHint} type="password" autocomplete="new-password" />
      ${isAsked && html`<${Code} form=${form} />`}
    <//>
    <p><a href="/desk">${t.login.title}</a></p>
  </main>`;
}
