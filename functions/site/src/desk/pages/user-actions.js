/** An admin's commands on somebody's account: edit, suspend, take back, set a password, remove a second factor, erase. */
import { call } from "../api.js";
import { openDialog } from "../dialog.js";
import { nameOf, openLazily } from "../people.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Command } from "./command.js";
import { changed } from "./profile.js";

const reason = (optional) => ({ name: "reason", label: t.reason, type: "textarea", optional });

const ACTIONS = {
  edit: (user) => ({
    fields: [
      { name: "full_name", label: t.person.full_name, value: user.full_name ?? "", optional: true },
      { name: "email", label: t.person.email, type: "email", value: user.email ?? "" },
      { name: "phone", label: t.person.phone, type: "tel", value: user.phone ?? "" },
    ],
    send: (values) => {
      const body = changed(user, { full_name: "", email: "", phone: "", ...values });
      return call("PATCH /api/users/{id}", { path: { id: user.id }, body });
    },
  }),
  password: (user) => ({
    username: user.username,
    fields: [{ name: "new_password", label: t.profile.newPassword, type: "password", hint: t.person.passwordHint, autocomplete: "new-password" }],
    send: (body) => call("PUT /api/users/{id}/password", { path: { id: user.id }, body }),
  }),
  suspend: (user) => ({
    danger: true,
    fields: [reason(true)],
    send: (body) => call("POST /api/users/{id}/suspend", { path: { id: user.id }, body }),
  }),
  reactivate: (user) => ({
    fields: [reason(true)],
    send: (body) => call("POST /api/users/{id}/reactivate", { path: { id: user.id }, body }),
  }),
  totp: (user) => ({
    danger: true,
    send: () => call("DELETE /api/users/{id}/totp", { path: { id: user.id } }),
  }),
  erase: (user) => ({
    danger: true,
    fields: [reason(false)],
    send: (body) => call("POST /api/users/{id}/erase", { path: { id: user.id }, body }),
  }),
};

const CODE = () => import("./activation-code.js");

function allowed(user, me) {
  const isOther = user.id !== me.id;
  return {
    edit: user.status !== "erased",
    password: isOther && user.status !== "erased",
    suspend: isOther && user.status === "active",
    reactivate: user.status === "suspended",
    totp: isOther && user.totp_since !== null,
    erase: isOther && user.role === "customer" && user.status !== "erased",
  };
}

/** The buttons of an account. */
export function UserActions({ of: user, me }) {
  const open = (name) => {
    const words = t.users.actions[name];
    openDialog(
      (close) => html`<${Command}
        title=${words.title}
        about=${words.about(nameOf(user))}
        button=${words.button}
        close=${close}
        ...${ACTIONS[name](user)}
        send=${async (values) => {
          await ACTIONS[name](user).send(values);
          return words.done(nameOf(user));
        }}
      />`,
    );
  };
  // A customer's stands on the customer's page, for agents too.
  const mayHaveCode = user.id !== me.id && user.role !== "customer" && user.status === "active";
  const code = mayHaveCode && html`<button key="code" type="button" onClick=${() => openLazily(CODE, { user })}>${t.activation.button}</button>`;
  const buttons = Object.entries(allowed(user, me))
    .filter(([, isAllowed]) => isAllowed)
    .map(
      ([name]) =>
        html`<button key=${name} type="button" class=${ACTIONS[name](user).danger ? "danger" : ""} onClick=${() => open(name)}>${t.users.actions[name].button}</button>`,
    );
  return html`${code} ${buttons}`;
}
