/** A command in a dialog: what it will do, what it needs to know, and what the server refuses beside its field. */
import { closeDialog, tell } from "../dialog.js";
import { Field, Form, UsernameOf, filled, useForm } from "../forms.js";
import { refresh } from "../load.js";
import { html } from "../ui.js";

/**
 * @param {{title: string, about: any, button: string, danger?: boolean, fields: object[], close: () => void,
 *   send: (values: object, keyOf: (body: object) => string) => Promise<string | Function>, children?: any}} properties
 *   `fields` are properties of `Field`, with `value` for what stands in it at first. `send` gives the words for what has
 *   been done.
 */
export function Command({ title, about, button, danger, fields = [], close = closeDialog, send, username, children }) {
  const initial = Object.fromEntries(fields.map(({ name, value = "" }) => [name, value]));
  const form = useForm(initial, async (values, keyOf) => {
    const done = await send(filled(values), keyOf);
    close();
    tell(done);
    refresh();
  });
  return html`<h2>${title}</h2>
    ${about && html`<p>${about}</p>`}
    <${Form} form=${form} label=${button} danger=${danger} cancel=${close}>
      ${username && html`<${UsernameOf} name=${username} />`} ${children?.(form)}
      ${fields.map(({ value: _initial, ...field }) => html`<${Field} key=${field.name} form=${form} ...${field} />`)}
    <//>`;
}
