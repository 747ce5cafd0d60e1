/** Holds every request of a page against openapi.json: its operation, its query, its headers, the fields of its body. */

import { readFileSync } from "node:fs";

const DOCUMENT = JSON.parse(readFileSync(new URL("../../../openapi.json", import.meta.url), "utf8"));

const resolve = (thing) => {
  let found = thing;
  while (found?.$ref) found = found.$ref.slice(2).split("/").reduce((part, name) => part[name], DOCUMENT);
  return found;
};

const PATTERNS = Object.keys(DOCUMENT.paths)
  // Those without a name in braces are the more exact.
  .sort((one, other) => one.split("{").length - other.split("{").length)
  .map((path) => [path, new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`)]);

/** All fields that a schema's objects may have. */
function fields(schema, found = new Set()) {
  const resolved = resolve(schema) ?? {};
  for (const name of Object.keys(resolved.properties ?? {})) found.add(name);
  for (const part of [...(resolved.allOf ?? []), ...(resolved.oneOf ?? []), ...(resolved.anyOf ?? [])]) fields(part, found);
  return found;
}

/**
 * What is wrong with a request.
 * @param {{method: string, url: string, headers: Record<string, string>, body: string | null}} request
 * @returns {string[]}
 */
export function faults({ method, url, headers, body }) {
  const { pathname, searchParams } = new URL(url);
  const [path] = PATTERNS.find(([, pattern]) => pattern.test(pathname)) ?? [];
  const operation = path && DOCUMENT.paths[path][method.toLowerCase()];
  if (!operation) return [`${method} ${pathname} is no operation`];
  const found = [];
  const parameters = (operation.parameters ?? []).map(resolve);
  const known = (place) => parameters.filter((parameter) => parameter.in === place);
  for (const name of searchParams.keys()) {
    if (!known("query").some((parameter) => parameter.name === name)) found.push(`no query parameter ${name}`);
  }
  for (const { name, required } of known("header")) {
    if (required && !headers[name.toLowerCase()]) found.push(`no header ${name}`);
  }
  const schema = Object.values(resolve(operation.requestBody)?.content ?? {})[0]?.schema;
  if (body && !schema) found.push("a body where none is taken");
  if (body && schema) {
    const allowed = fields(schema);
    for (const name of Object.keys(JSON.parse(body))) {
      if (!allowed.has(name)) found.push(`no field ${name}`);
    }
  }
  return found.map((fault) => `${method} ${path}: ${fault}`);
}

/** If openapi.json has an operation of this name, such as `GET /api/loans/{id}`. */
export function isOperation(name) {
  const [method, path] = name.split(" ");
  return Boolean(DOCUMENT.paths[path]?.[method.toLowerCase()]);
}

/** The words that a schema allows. */
export const wordsOf = (schema) => DOCUMENT.components.schemas[schema].enum;
