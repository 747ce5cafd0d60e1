/** The address that a provider calls, and the secret that it signs with. They are shown once. */
import { Facts } from "../facts.js";
import { html } from "../ui.js";
import { t } from "../words.js";

export function Secrets({ source, close }) {
  const words = t.sources;
  const hasAny = source.hook_url || source.signing_secret;
  return html`<h2>${source.name}</h2>
    <p role="status">${hasAny ? words.once : words.noHook}</p>
    <${Facts}
      of=${[
        source.hook_url && [words.hook, html`<code>${source.hook_url}</code>`, "long"],
        source.signing_secret && [words.signing, html`<code>${source.signing_secret}</code>`, "long"],
      ]}
    />
    <div class="actions"><button type="button" class="primary" onClick=${close}>${t.close}</button></div>`;
}
