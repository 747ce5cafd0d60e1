/** People by their ids: an admin sees names, others who they are to the loan. */
import { call } from "./api.js";
import { openDialog } from "./dialog.js";
import { html, useEffect, useState } from "./ui.js";
import { t } from "./words.js";

const known = new Map();

/** Forgets names, for the next session. */
export const forgetPeople = () => known.clear();

/** The name of a user. */
export const nameOf = (user) => user.full_name ?? user.username;

function find(id) {
  if (!known.has(id)) {
    const found = call("GET /api/users/{id}", { path: { id } });
    found.catch(() => known.delete(id));
    known.set(id, found);
  }
  return known.get(id);
}

/** A user by id. */
export function Who({ id, me, loan }) {
  const [user, setUser] = useState(null);
  useEffect(() => {
    let isGone = false;
    if (id && me.role === "admin") {
      find(id).then(
        (found) => isGone || setUser(found),
        () => {},
      );
    }
    return () => {
      isGone = true;
    };
  }, [id]);
  if (!id) return t.people.nobody;
  if (user) return html`<a href=${addressOf(user)}>${nameOf(user)}</a>`;
  if (id === me.id) return t.people.you;
  if (id === loan?.borrower_id) return loan.borrower_username;
  if (me.role === "admin") return html`<code>${id.slice(-6)}</code>`;
  return id === loan?.agent_id ? t.people.agent : t.people.colleague;
}

/** Where an admin finds a user. */
export function addressOf({ id, role }) {
  return { customer: `/desk/customers/${id}`, agent: `/desk/agents/${id}`, admin: `/desk/users/${id}` }[role];
}

/** A phone number to call. */
export const Phone = ({ number }) => (number ? html`<a href="tel:${number}" class="nobreak">${number}</a>` : t.none);

/** A mail address to write to. */
export const Mail = ({ address }) => (address ? html`<a href="mailto:${address}">${address}</a>` : t.none);

/** Opens a dialog of a module that is fetched then. */
export async function openLazily(load, properties) {
  const { default: Part } = await load();
  openDialog((close) => html`<${Part} ...${properties} close=${close} />`);
}
