/** An account: how to reach its owner, what of that changed, and what an admin can do with it. */
import { call } from "../api.js";
import { Facts, Status } from "../facts.js";
import { minute } from "../format.js";
import { Heading } from "../layout.js";
import { Loaded, useLoad } from "../load.js";
import { Mail, Phone, nameOf } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Changes } from "./changes.js";
import { UserActions } from "./user-actions.js";

export default function User({ path: { id }, user: me }) {
  const found = useLoad((signal) => call("GET /api/users/{id}", { path: { id }, signal }), [id]);
  const user = found.data;
  return html`<${Heading} text=${user ? nameOf(user) : t.users.user} over=${user && html`${t.roles[user.role]} <${Status} of=${user.status} />`}>
      ${user && html`<${UserActions} of=${user} me=${me} />`}
    <//>
    <${Loaded} of=${found}>
      ${(it) => html`<${Facts}
        of=${[
          [t.person.username, it.username],
          [t.person.phone, html`<${Phone} number=${it.phone} />`],
          [t.person.email, html`<${Mail} address=${it.email} />`],
          [t.agents.registered, minute(it.created_at)],
        ]}
      />`}
    <//>
    <${Changes} id=${id} me=${me} />`;
}
