/**
 * Forms: what is typed stays until it has been taken; what the server refuses stands beside the field, all at once.
 * A field is named by its place in the body, `terms.fees.0.amount` for `/terms/fees/0/amount`.
 */
import { Refusal, words } from "./api.js";
import { html, useCallback, useEffect, useId, useRef, useState } from "./ui.js";
import { t } from "./words.js";

/** A key that no other command has. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const named = (pointer) => pointer.replace(/^\//, "").replaceAll("/", ".");

/**
 * The state of a form.
 * @param {Record<string, string>} initial What stands in the fields at first.
 * @param {(values: Record<string, any>, keyOf: (body: object) => string) => Promise<void>} send Throws what the server
 *   refuses. `keyOf` gives a body its idempotency key: the same again for the same body, so that a command whose answer
 *   was lost is not done twice.
 */
export function useForm(initial, send) {
  const [values, setValues] = useState(initial);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const fields = useRef(new Set());
  const element = useRef(null);
  const sent = useRef({ text: "", key: "" });
  const set = useCallback((name, value) => setValues((old) => ({ ...old, [name]: value })), []);
  const keyOf = (body) => {
    const text = JSON.stringify(body);
    if (sent.current.text !== text) sent.current = { text, key: newKey() };
    return sent.current.key;
  };
  const submit = async (event) => {
    event?.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await send(values, keyOf);
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
      setProblem(error);
    }
    setBusy(false);
  };
  useEffect(() => {
    if (!problem) return;
    const form = element.current;
    (form?.querySelector("[aria-invalid=true]") ?? form?.querySelector(".trouble"))?.focus();
  }, [problem]);
  const errors = problem instanceof Refusal ? problem.errors : [];
  const errorOf = (name) => errors.find(({ pointer }) => named(pointer) === name)?.detail;
  return { values, setValues, set, problem, setProblem, errors, errorOf, busy, submit, fields, element };
}

/** The errors that are of no field. */
function Summary({ form }) {
  if (!form.problem) return null;
  const others = form.errors.filter(({ pointer }) => !form.fields.current.has(named(pointer)));
  const isAllShown = form.errors.length > 0 && others.length === 0;
  return html`<div class="trouble" role="alert" tabindex="-1">
    <p>${isAllShown ? t.form.check(form.errors.length) : words(form.problem)}</p>
    ${others.length > 0 &&
    html`<ul>
      ${others.map(({ pointer, detail }) => html`<li key=${pointer}>${named(pointer)}: ${detail}</li>`)}
    </ul>`}
  </div>`;
}

/**
 * A form with its button.
 * @param {{form: ReturnType<typeof useForm>, label: string, danger?: boolean, cancel?: () => void, children: any}} p
 */
export function Form({ form, label, danger, cancel, children, ...rest }) {
  return html`<form ref=${form.element} onSubmit=${form.submit} novalidate ...${rest}>
    <${Summary} form=${form} />
    ${children}
    <div class="actions">
      ${cancel && html`<button type="button" onClick=${cancel}>${t.cancel}</button>`}
      <button type="submit" class=${danger ? "primary danger" : "primary"} aria-disabled=${form.busy ? "true" : null}>
        ${form.busy ? t.working : label}
      </button>
    </div>
  </form>`;
}

/**
 * A field with its label, its hint and what is wrong with it.
 * @param {{form: ReturnType<typeof useForm>, name: string, label: string, hint?: any, type?: string,
 *   options?: [string, string][]}} properties With `options`, a choice; `type` may also be `textarea` or `checkbox`.
 *   Others are attributes of the control.
 */
export function Field({ form, name, label, hint, type = "text", options, optional, ...rest }) {
  const id = useId();
  useEffect(() => {
    form.fields.current.add(name);
    return () => form.fields.current.delete(name);
  }, [name]);
  const error = form.errorOf(name);
  const isChecked = type === "checkbox";
  const about = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const control = {
    id,
    name,
    "aria-invalid": error ? "true" : undefined,
    "aria-describedby": about || undefined,
    [isChecked ? "checked" : "value"]: form.values[name] ?? (isChecked ? false : ""),
    [options || isChecked ? "onChange" : "onInput"]: ({ target }) =>
      form.set(name, isChecked ? target.checked : target.value),
    ...rest,
  };
  const labelled = html`<label for=${id}>${label}${optional && html` <span class="muted">${t.form.optional}</span>`}</label>`;
  return html`<div class=${isChecked ? "field check" : "field"}>
    ${!isChecked && labelled} ${drawn(control, type, options)} ${isChecked && labelled}
    ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
    ${error && html`<p class="error" id="${id}-error">${error}</p>`}
  </div>`;
}

function drawn(control, type, options) {
  if (options) {
    return html`<select ...${control}>
      ${options.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}
    </select>`;
  }
  if (type === "textarea") return html`<textarea rows="2" ...${control}></textarea>`;
  return html`<input type=${type} ...${control} />`;
}

/** A field for an amount or a rate: digits, as text, so that none becomes a float. */
export const Decimal = (properties) => html`<${Field} inputmode="decimal" autocomplete="off" ...${properties} />`;

/** A field for a count. */
export const Count = (properties) => html`<${Field} inputmode="numeric" autocomplete="off" ...${properties} />`;

/** A field for a business date. */
export const DateField = (properties) => html`<${Field} type="date" ...${properties} />`;

/** The entries that are not empty: a field left alone is left out of a body. */
export const filled = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value !== undefined));

/** A whole number as the interface takes it; what is none is sent as it was typed, and refused beside its field. */
export const whole = (text) => (/^\d+$/.test(text ?? "") ? Number(text) : text);

/** The username that a form's password is of, for those who keep passwords. */
export const UsernameOf = ({ name }) =>
  html`<input type="text" class="hidden" aria-hidden="true" tabindex="-1" autocomplete="username" value=${name} readonly />`;
