/** The agents that a customer, a loan or a whole book can go to. */
import { callAll } from "../api.js";
import { Field } from "../forms.js";
import { Loaded, useLoad } from "../load.js";
import { nameOf } from "../people.js";
import { html } from "../ui.js";

/** A field for an active agent. `none` is the word for nobody, where that can be chosen; `except` is left out. */
export function AgentField({ form, name, label, hint, none, except }) {
  const found = useLoad((signal) => callAll("GET /api/agents", { query: { status: "active" }, signal }), []);
  return html`<${Loaded} of=${found} lines=${1}>
    ${(agents) => {
      const others = agents.filter(({ id }) => id !== except).map((agent) => [agent.id, `${nameOf(agent)} (${agent.username})`]);
      return html`<${Field} form=${form} name=${name} label=${label} hint=${hint} options=${[["", none ?? ""], ...others]} />`;
    }}
  <//>`;
}
