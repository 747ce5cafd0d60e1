/** Log in. */
import { call } from "../api.js";
import { Code, useCodedForm } from "../code.js";
import { Field, Form } from "../forms.js";
import { forgetPeople } from "../people.js";
import { setSession } from "../session.js";
import { html, useEffect } from "../ui.js";
import { t } from "../words.js";

export default function Login() {
  useEffect(() => {
    document.title = `${t.login.title} · ${t.brand}`;
    document.querySelector("input").focus();
  }, []);
  const logIn = async (body) => {
    const answer = await call("POST /api/auth/login", { body, anyone: true });
    forgetPeople();
    setSession({ token: answer.access_token, user: answer.user });
  };
  const { form, isAsked } = useCodedForm({ username: "", password: "" }, "password", logIn);
  return html`<main class="door">
    <h1><img src=${new URL("../icon.svg", import.meta.url).href} alt="" width="32" height="32" /> ${t.brand}</h1>
    <${Form} form=${form} label=${t.login.button}>
      <${Field} form=${form} name="username" label=${t.login.username} autocomplete="username" autocapitalize="none" />
      <${Field} form=${form} name="password" label=${t.login.password} type="password" autocomplete="current-password" />
      ${isAsked && html`<${Code} form=${form} />`}
    <//>
    <p>${t.login.noAccount} <a href="/desk/register">${t.login.register}</a></p>
    <p>${t.login.haveCode} <a href="/desk/activate">${t.login.activate}</a></p>
    <p class="muted">${t.login.tab}</p>
  </main>`;
}
