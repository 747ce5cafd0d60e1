/** One operation: what it takes, what it answers, and a way to try it. */
import { html, useState } from "../ui.js";
import { Fields, Prose, exampleOf, resolve, typeOf } from "./schema.js";
import { Try } from "./try.js";
import { w } from "./words.js";

const pretty = (value) => JSON.stringify(value, null, 2);

/** The content of a body or an answer: its type, its schema, its example. */
export function contentOf(document, thing) {
  const [[type, content] = []] = Object.entries(thing?.content ?? {});
  if (!type) return null;
  const named = Object.values(content.examples ?? {})[0]?.value;
  const example = content.example ?? named ?? exampleOf(document, content.schema ?? {});
  return { type, schema: content.schema ?? {}, example };
}

function Parameters({ document, list }) {
  return html`<h3>${w.parameters}</h3>
    <ul class="fields">
      ${list.map(
        (parameter) => html`<li key=${parameter.in + parameter.name}>
          <code class="name">${parameter.name}</code>
          <span class="type">${w[parameter.in]}, ${typeOf(document, parameter.schema ?? {})}</span>
          ${parameter.required && html` <span class="required">${w.required}</span>`}
          <${Prose} text=${parameter.description} />
        </li>`,
      )}
    </ul>`;
}

function Content({ document, content }) {
  if (!content) return null;
  return html`<p class="type">${content.type}, ${typeOf(document, content.schema)}</p>
    <${Fields} document=${document} schema=${content.schema} />
    <details>
      <summary>${w.example}</summary>
      <pre tabindex="0">${typeof content.example === "string" ? content.example : pretty(content.example)}</pre>
    </details>`;
}

function Answer({ document, status, given }) {
  const [isOpen, setOpen] = useState(false);
  const answer = resolve(document, given);
  const content = contentOf(document, answer);
  const headers = Object.keys(answer.headers ?? {});
  const about = html`<code class="code s${status[0]}">${status}</code> <span>${answer.description}</span>`;
  if (!content) return html`<li>${about}</li>`;
  return html`<li>
    <details onToggle=${({ target }) => setOpen(target.open)}>
      <summary>${about}</summary>
      ${headers.length > 0 && html`<p class="type">${w.headers}: ${headers.join(", ")}</p>`}
      ${isOpen && html`<${Content} document=${document} content=${content} />`}
    </details>
  </li>`;
}

function access(document, operation) {
  const security = operation.security ?? document.security ?? [];
  const names = security.flatMap((choice) => Object.keys(choice));
  if (names.length === 0) return w.anyone;
  const isBasic = names.some((name) => document.components.securitySchemes[name]?.scheme === "basic");
  return isBasic ? w.orBasic : w.token;
}

export function Operation({ document, entry, isOpen, toggle }) {
  const { method, path, operation } = entry;
  const parameters = (operation.parameters ?? []).map((parameter) => resolve(document, parameter));
  const body = contentOf(document, resolve(document, operation.requestBody));
  return html`<details class="operation" id=${entry.id} open=${isOpen} onToggle=${({ target }) => target.open !== isOpen && toggle(target.open)}>
    <summary>
      <span class="method ${method}">${method.toUpperCase()}</span>
      <code class="path">${path}</code>
      <span class="summary">${operation.summary}</span>
    </summary>
    ${isOpen &&
    html`<div class="inside">
      <${Prose} text=${operation.description} />
      <p class="type">${access(document, operation)}</p>
      ${parameters.length > 0 && html`<${Parameters} document=${document} list=${parameters} />`}
      ${body && html`<h3>${w.body}</h3><${Content} document=${document} content=${body} />`}
      <h3>${w.answers}</h3>
      <ul class="answers">
        ${Object.entries(operation.responses).map(([status, answer]) => html`<${Answer} key=${status} document=${document} status=${status} given=${answer} />`)}
      </ul>
      <h3>${w.tryIt}</h3>
      <${Try} document=${document} entry=${entry} parameters=${parameters} body=${body} />
    </div>`}
  </details>`;
}
