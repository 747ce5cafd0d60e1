/** A code with which somebody sets their password. It is shown once. */
import { call } from "../api.js";
import { Facts } from "../facts.js";
import { Form, useForm } from "../forms.js";
import { minute } from "../format.js";
import { nameOf } from "../people.js";
import { html, useState } from "../ui.js";
import { t } from "../words.js";

export default function ActivationCode({ user, close }) {
  const [made, setMade] = useState(null);
  const form = useForm({}, async () => setMade(await call("POST /api/users/{id}/activation", { path: { id: user.id } })));
  const words = t.activation;
  if (!made) {
    return html`<h2>${words.title}</h2>
      <p>${words.about(nameOf(user))}</p>
      <${Form} form=${form} label=${words.make} cancel=${close} />`;
  }
  return html`<h2>${words.title}</h2>
    <p role="status">${words.tell(nameOf(user))}</p>
    <${Facts}
      large
      of=${[
        [t.person.username, html`<code>${user.username}</code>`],
        [words.code, html`<code>${made.code}</code>`],
        [words.until, minute(made.expires_at)],
      ]}
    />
    <div class="actions"><button type="button" class="primary" onClick=${close}>${t.close}</button></div>`;
}
