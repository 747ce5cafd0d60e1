/** Sends an operation as the reader fills it in, and shows what the server answers. */
import { session } from "../session.js";
import { html, useId, useState } from "../ui.js";
import { typeOf } from "./schema.js";
import { w } from "./words.js";

const SHOWN = ["content-type", "etag", "location", "link", "x-request-id", "idempotency-replayed", "retry-after"];

/** The text of an answer: JSON with its lines apart. */
function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A key that no other request has. */
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");

function request(entry, parameters, values, text, type) {
  const given = (place) => parameters.filter(({ in: where, name }) => where === place && values[place + name]);
  let address = entry.path;
  for (const { name } of given("path")) address = address.replace(`{${name}}`, encodeURIComponent(values[`path${name}`]));
  const query = new URLSearchParams(given("query").map(({ name }) => [name, values[`query${name}`]]));
  const headers = Object.fromEntries(given("header").map(({ name }) => [name, values[`header${name}`]]));
  const token = session.get()?.token;
  if (token) headers.Authorization = `Bearer ${token}`;
  if (text !== null) headers["Content-Type"] = type;
  return [query.size ? `${address}?${query}` : address, { method: entry.method.toUpperCase(), headers, body: text ?? undefined }];
}

export function Try({ document, entry, parameters, body }) {
  const id = useId();
  const [values, setValues] = useState(() =>
    Object.fromEntries(parameters.filter(({ name }) => name === "Idempotency-Key").map((it) => [it.in + it.name, newKey()])),
  );
  const [text, setText] = useState(body ? JSON.stringify(body.example, null, 2) : "");
  const [answer, setAnswer] = useState(null);
  const [busy, setBusy] = useState(false);
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    const [address, options] = request(entry, parameters, values, body ? text : null, body?.type);
    const started = performance.now();
    try {
      const got = await fetch(address, options);
      const content = await got.text();
      const headers = [...got.headers].filter(([name]) => SHOWN.includes(name));
      const time = Math.round(performance.now() - started);
      setAnswer({ about: `${options.method} ${address}`, status: got.status, time, headers, text: readable(content) });
    } catch {
      setAnswer({ about: `${options.method} ${address}`, failed: true, headers: [], text: "" });
    }
    setBusy(false);
  };
  return html`<form class="try" onSubmit=${send}>
    ${parameters.map((parameter) => {
      const name = parameter.in + parameter.name;
      const label = `${id}-${name}`;
      return html`<div class="field" key=${name}>
        <label for=${label}>${parameter.name}${parameter.required && html` <span class="required">${w.required}</span>`}</label>
        <input id=${label} value=${values[name] ?? ""} placeholder=${typeOf(document, parameter.schema ?? {})} required=${parameter.required} onInput=${({ target }) => setValues({ ...values, [name]: target.value })} autocomplete="off" />
      </div>`;
    })}
    ${body &&
    html`<div class="field">
      <label for="${id}-body">${w.body}</label>
      <textarea id="${id}-body" rows=${Math.min(18, text.split("\n").length + 1)} value=${text} onInput=${({ target }) => setText(target.value)} spellcheck="false"></textarea>
    </div>`}
    <div class="actions"><button type="submit" class="primary">${busy ? w.sending : w.send}</button></div>
    <div role="status" aria-live="polite">
      ${answer &&
      html`<p><code>${answer.about}</code></p>
        <p>
          ${answer.failed ? html`<b>${w.unreachable}</b>` : html`<code class="code s${String(answer.status)[0]}">${answer.status}</code> ${w.took(answer.time)}`}
        </p>
        ${answer.headers.length > 0 && html`<pre tabindex="0">${answer.headers.map(([name, value]) => `${name}: ${value}`).join("\n")}</pre>`}
        ${!answer.failed && (answer.text ? html`<pre tabindex="0" class="answer">${answer.text}</pre>` : html`<p class="type">${w.noBody}</p>`)}`}
    </div>
  </form>`;
}
