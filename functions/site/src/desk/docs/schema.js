/** Schemas of the document, for people: fields with types and meanings, and an example of a value. */
import { Fragment, html, useState } from "../ui.js";
import { w } from "./words.js";

/** The schema that a reference names. */
export function resolve(document, thing) {
  let found = thing;
  for (let steps = 0; found?.$ref && steps < 10; steps += 1) {
    found = found.$ref.slice(2).split("/").reduce((part, name) => part?.[name], document);
  }
  return found ?? {};
}

/** The schema's parts: of one that joins others, or that may also be null. */
function simple(document, given) {
  const schema = resolve(document, given);
  const choices = (schema.oneOf ?? schema.anyOf ?? []).filter((choice) => choice.type !== "null");
  if (choices.length === 1) return simple(document, choices[0]);
  if (schema.allOf) {
    const parts = schema.allOf.map((part) => simple(document, part));
    const merged = (name) => Object.assign({}, ...parts.map((part) => part[name] ?? {}), schema[name]);
    return { ...Object.assign({}, ...parts), ...schema, allOf: undefined, properties: merged("properties"), required: parts.flatMap((part) => part.required ?? []) };
  }
  return schema;
}

const nameOf = (schema) => schema.$ref?.split("/").at(-1);

/** The type of a schema in a few words. */
export function typeOf(document, given) {
  const schema = resolve(document, given);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return [...new Set(choices.map((choice) => typeOf(document, choice)))].join(" or ");
  const types = [schema.type ?? (schema.properties ? "object" : "any")].flat();
  const words = types.map((type) => {
    if (type === "array") return `list of ${typeOf(document, schema.items ?? {})}`;
    if (type === "object" && nameOf(given)) return nameOf(given);
    return schema.format && type === "string" ? `${type} (${schema.format})` : type;
  });
  return words.join(" or ");
}

/** The limits of a schema in words. */
function limits(document, given) {
  const schema = simple(document, given);
  return [
    schema.enum && schema.enum.map((value) => JSON.stringify(value)).join(", "),
    schema.pattern && `matches ${schema.pattern}`,
    schema.minLength !== undefined && `from ${schema.minLength} characters`,
    schema.maxLength !== undefined && `to ${schema.maxLength} characters`,
    schema.minimum !== undefined && `from ${schema.minimum}`,
    schema.maximum !== undefined && `to ${schema.maximum}`,
    schema.maxItems !== undefined && `at most ${schema.maxItems} entries`,
    schema.default !== undefined && `default ${JSON.stringify(schema.default)}`,
  ].filter(Boolean);
}

const EXAMPLES = { integer: 1, number: 1, boolean: true, string: "string", null: null };

/** A value that a schema allows. */
export function exampleOf(document, given, depth = 0) {
  if (given.example !== undefined) return given.example;
  const schema = resolve(document, given);
  if (schema.example !== undefined) return schema.example;
  if (schema.examples?.length) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return exampleOf(document, choices.find(({ type }) => type !== "null") ?? choices[0], depth);
  const whole = simple(document, given);
  const type = [whole.type].flat()[0];
  if (type === "array") return depth > 4 ? [] : [exampleOf(document, whole.items ?? {}, depth + 1)];
  if (whole.properties) {
    if (depth > 4) return {};
    return Object.fromEntries(Object.entries(whole.properties).map(([name, field]) => [name, exampleOf(document, field, depth + 1)]));
  }
  return type === "object" ? {} : (EXAMPLES[type] ?? null);
}

/** Code and strong words within a line; nothing else of Markdown is in the document. */
function line(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)]+\))/).map((part) => {
    if (part.startsWith("`")) return html`<code>${part.slice(1, -1)}</code>`;
    if (part.startsWith("**")) return html`<b>${part.slice(2, -2)}</b>`;
    const link = part.match(/^\[([^\]]+)\]\(([^)]+)\)$/);
    return link && /^(https:|\/|#)/.test(link[2]) ? html`<a href=${link[2]}>${link[1]}</a>` : part;
  });
}

/** A description: paragraphs and lists. */
export function Prose({ text }) {
  if (!text) return null;
  return text.split(/\n\s*\n/).map((block, place) => {
    const lines = block.split("\n");
    if (!lines.every((one) => /^[-*] |^ {2}/.test(one))) return html`<p key=${place}>${line(block)}</p>`;
    const entries = block.split(/\n?^[-*] /m).filter(Boolean);
    return html`<ul key=${place}>${entries.map((entry) => html`<li key=${entry}>${line(entry)}</li>`)}</ul>`;
  });
}

/** The schema whose fields are worth a list: of an object, or of the entries of an array. */
function fielded(document, given) {
  const schema = simple(document, given);
  if (schema.properties && Object.keys(schema.properties).length) return schema;
  if (schema.items) return fielded(document, schema.items);
  return typeof schema.additionalProperties === "object" ? fielded(document, schema.additionalProperties) : null;
}

/** The fields of a schema, those of a field's own schema when asked for. */
export function Fields({ document, schema: given, depth = 0 }) {
  const schema = fielded(document, given);
  if (!schema) return null;
  return html`<ul class="fields">
    ${Object.entries(schema.properties).map(([name, field]) => html`<${Field} key=${name} document=${document} name=${name} field=${field} isRequired=${schema.required?.includes(name)} depth=${depth} />`)}
  </ul>`;
}

function Field({ document, name, field, isRequired, depth }) {
  const [isOpen, setOpen] = useState(false);
  const inner = depth < 6 && fielded(document, field);
  const about = field.description ?? resolve(document, field).description;
  return html`<li>
    <code class="name">${name}</code> <span class="type">${typeOf(document, field)}</span>
    ${isRequired && html` <span class="required">${w.required}</span>`}
    ${limits(document, field).map((limit) => html` <span class="limit" key=${limit}>${limit}</span>`)}
    <${Prose} text=${about} />
    ${inner && html`<details onToggle=${({ target }) => setOpen(target.open)}>
      <summary>${w.fields}</summary>
      ${isOpen && html`<${Fragment}><${Fields} document=${document} schema=${field} depth=${depth + 1} /><//>`}
    </details>`}
  </li>`;
}
