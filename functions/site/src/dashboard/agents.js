/** The agents: what they are called, and who of them can be chosen. */
import { at, element, tell } from "./elements.js";
import { words } from "./interface.js";
import { isOffline } from "./sections.js";
import { askAll, session, view } from "./session.js";

/** How many agents are asked for at once: the most that the interface gives. */
const AGENTS = 200;

/** How an agent is called: by username where it is known. */
export function agentName(id) {
  if (id === null) return "no agent";
  return view.agents.get(id) ?? id;
}

/** Learns the agents' names, and offers those who work to choose among. Who is no admin knows its own name only. */
export function loadAgents() {
  if (!view.admin) {
    view.agents = new Map([[session.user.id, session.user.username]]);
    view.agentsKnown = Promise.resolve();
    return;
  }
  view.agentsKnown = askAll("/api/agents", { limit: AGENTS }).then(offerAgents, (error) => {
    if (session && !isOffline(error)) tell(`The agents' names could not be had: ${words(error)}`);
  });
}

function offerAgents(agents) {
  view.agents = new Map(agents.map((agent) => [agent.id, agent.username]));
  const working = agents.filter((agent) => agent.status === "active" || agent.status === "suspended");
  working.sort((one, other) => (one.username < other.username ? -1 : 1));
  for (const select of [at("collections-agent"), at("performance-agent")]) {
    const chosen = select.value;
    const offered = working.map((agent) => element("option", { value: agent.id }, agent.username));
    select.replaceChildren(select.options[0], ...offered);
    select.value = view.agents.has(chosen) ? chosen : "";
  }
}
