/** Get an account, as a customer or as an agent. */
import { call } from "../api.js";
import { Field, Form, filled, useForm } from "../forms.js";
import { open } from "../router.js";
import { setSession } from "../session.js";
import { html, useEffect, useState } from "../ui.js";
import { t } from "../words.js";

export default function Register() {
  const [waits, setWaits] = useState(false);
  useEffect(() => {
    document.title = `${t.register.title} · ${t.brand}`;
  }, []);
  const initial = { role: "customer", full_name: "", username: "", email: "", phone: "", password: "" };
  const form = useForm(initial, async (values) => {
    const user = await call("POST /api/auth/register", { body: filled(values), anyone: true });
    if (user.status === "pending") return setWaits(true);
    const body = { username: user.username, password: values.password };
    const answer = await call("POST /api/auth/login", { body, anyone: true });
    open("/desk");
    setSession({ token: answer.access_token, user: answer.user });
  });
  if (waits) {
    return html`<main class="door">
      <h1>${t.register.waitsTitle}</h1>
      <p role="status">${t.register.waits}</p>
      <p><a href="/desk">${t.login.title}</a></p>
    </main>`;
  }
  return html`<main class="door">
    <h1>${t.register.title}</h1>
    <${Form} form=${form} label=${t.register.button}>
      <${Field} form=${form} name="role" label=${t.register.role} options=${Object.entries(t.register.roles)} />
      <${Field} form=${form} name="full_name" label=${t.person.full_name} autocomplete="name" optional />
      <${Field} form=${form} name="username" label=${t.person.username} hint=${t.person.usernameHint} autocomplete="username" autocapitalize="none" />
      <${Field} form=${form} name="email" label=${t.person.email} type="email" autocomplete="email" />
      <${Field} form=${form} name="phone" label=${t.person.phone} hint=${t.person.phoneHint} type="tel" autocomplete="tel" />
      <${Field} form=${form} name="password" label=${t.person.password} hint=${t.person.passwordHint} type="password" autocomplete="new-password" />
    <//>
    <p>${t.register.haveOne} <a href="/desk">${t.login.title}</a></p>
  </main>`;
}
