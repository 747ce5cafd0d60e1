/** The own second factor: set up with an authenticator, confirmed with a first code, removed. */
import { call } from "../api.js";
import { Code } from "../code.js";
import { tell } from "../dialog.js";
import { Facts } from "../facts.js";
import { minute } from "../format.js";
import { Form, useForm } from "../forms.js";
import { html, useState } from "../ui.js";
import { t } from "../words.js";

/** A form that asks for a code alone. */
function CodeForm({ button, hint, send, ...rest }) {
  const form = useForm({ code: "" }, send);
  return html`<${Form} form=${form} label=${button} ...${rest}>
    <${Code} form=${form} name="code" hint=${hint} />
  <//>`;
}

function Begin({ begun }) {
  const form = useForm({}, async () => begun(await call("POST /api/auth/totp")));
  return html`<p>${t.code.about}</p>
    <${Form} form=${form} label=${t.code.begin} />`;
}

function Confirm({ setup, cancel, confirmed }) {
  const confirm = async (body) => confirmed(await call("POST /api/auth/totp/confirm", { body }));
  return html`<p>${t.code.setUp}</p>
    <${Facts} of=${[[t.code.secret, html`<code>${setup.secret.match(/.{4}/g).join(" ")}</code>`]]} />
    <p><a href=${setup.otpauth_url}>${t.code.open}</a></p>
    <${CodeForm} button=${t.code.confirm} hint=${t.code.digits} send=${confirm} cancel=${cancel} />`;
}

function RecoveryCodes({ codes, close }) {
  return html`<p>${t.code.recovery}</p>
    <ul>
      ${codes.map((code) => html`<li key=${code}><code>${code}</code></li>`)}
    </ul>
    <button type="button" onClick=${close}>${t.code.written}</button>`;
}

/** @param {{user: {totp_since: string | null}, done: () => void}} properties `done` reads the user again. */
export function SecondFactor({ user, done }) {
  const [setup, setSetup] = useState(null);
  const [codes, setCodes] = useState(null);
  const [isLeaving, setLeaving] = useState(false);
  const confirmed = ({ recovery_codes }) => {
    setCodes(recovery_codes);
    setSetup(null);
    done();
  };
  const remove = async (body) => {
    await call("DELETE /api/auth/totp", { body });
    setLeaving(false);
    tell(t.code.removed);
    done();
  };
  if (codes) return html`<${RecoveryCodes} codes=${codes} close=${() => setCodes(null)} />`;
  if (setup) return html`<${Confirm} setup=${setup} confirmed=${confirmed} cancel=${() => setSetup(null)} />`;
  if (!user.totp_since) return html`<${Begin} begun=${setSetup} />`;
  if (isLeaving) return html`<${CodeForm} button=${t.code.remove} send=${remove} cancel=${() => setLeaving(false)} danger />`;
  return html`<p>${t.code.since(minute(user.totp_since))}</p>
    <button type="button" onClick=${() => setLeaving(true)}>${t.code.remove}</button>`;
}
