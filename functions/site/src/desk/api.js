/**
 * The client of the interface. An operation is named as openapi.json has it, `GET /api/loans/{id}`; a test holds every
 * name and every request against that document.
 */
import { askToLogInAgain, session } from "./session.js";
import { store } from "./ui.js";
import { t } from "./words.js";

/** If the last request found no server. */
export const offline = store(false);

const CLOCK = "microloans-clock";

/** How far the device's clock is behind the server's, in milliseconds, kept for when there is no server to tell. */
export const clock = { behind: kept() };

function kept() {
  try {
    return Number(localStorage.getItem(CLOCK)) || 0;
  } catch {
    return 0;
  }
}

/** Sets the clock by an answer. Less than a minute makes no other day worth keeping. */
function setClock(date) {
  if (!date) return;
  clock.behind = date - Date.now();
  if (Math.abs(clock.behind - kept()) < 60_000) return;
  try {
    localStorage.setItem(CLOCK, clock.behind);
  } catch {
    // Without a network the device's own clock counts then.
  }
}

/** A request that the server refused, or that did not reach it (status 0). */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {{detail?: string, code?: string, errors?: {pointer: string, code: string, detail: string}[]}} problem
   * @param {string | null} retryAfter Seconds.
   */
  constructor(status, problem, retryAfter = null) {
    super(told(status, problem, retryAfter));
    this.status = status;
    this.problem = problem;
    this.code = problem.code;
    this.errors = problem.errors ?? [];
  }
}

function told(status, problem, retryAfter) {
  if (status === 0) return t.errors.offline;
  const sentence = (problem.detail ?? t.errors.unknown(status)).replace(/\.?$/, ".");
  return retryAfter ? `${sentence} ${t.errors.again(retryAfter)}` : sentence;
}

/** An error in words for whoever reads the page. */
export const words = (error) => (error instanceof Refusal ? error.message : t.errors.defect);

/** The address of an operation. */
function address(template, path, query) {
  const filled = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name]));
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `${filled}?${new URLSearchParams(given)}` : filled;
}

/**
 * Sends a request once.
 * @returns {Promise<any>} The body: parsed JSON, text of another type, or nothing.
 */
async function send(operation, { path = {}, query, body, version, key, headers = {}, signal, seen } = {}, token = null) {
  const [method, template] = operation.split(" ");
  const all = { Accept: "application/json", ...headers };
  if (token) all.Authorization = `Bearer ${token}`;
  if (body !== undefined) all["Content-Type"] = "application/json";
  if (version !== undefined) all["If-Match"] = `"${version}"`;
  if (key) all["Idempotency-Key"] = key;
  let answer;
  try {
    const text = body === undefined ? undefined : JSON.stringify(body);
    answer = await fetch(address(template, path, query), { method, headers: all, body: text, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    offline.set(true);
    throw new Refusal(0, {});
  }
  if (offline.get()) offline.set(false);
  setClock(Date.parse(answer.headers.get("Date") ?? ""));
  seen?.(answer.headers);
  const text = await answer.text();
  const isJson = answer.headers.get("Content-Type")?.includes("json");
  if (!answer.ok) throw new Refusal(answer.status, isJson ? JSON.parse(text) : {}, answer.headers.get("Retry-After"));
  return isJson ? JSON.parse(text) : text || null;
}

/**
 * Sends a request in the session, if there is one. Where the session has ended, the reader logs in again in a dialog,
 * and the request is sent once more: nothing typed is lost.
 * @param {string} operation `METHOD /path/{name}`
 * @param {{path?: object, query?: object, body?: object, version?: number, key?: string, headers?: object,
 *   signal?: AbortSignal, anyone?: boolean, seen?: (headers: Headers) => void}} options `version` is sent as `If-Match`,
 *   `key` as `Idempotency-Key`; `anyone` sends no token; `seen` sees the answer's headers.
 */
export async function call(operation, options = {}) {
  const now = session.get();
  if (!now || options.anyone) return send(operation, options);
  try {
    return await send(operation, options, now.token);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "unauthenticated") throw error;
    if (session.get()?.token === now.token) await askToLogInAgain();
    const again = session.get();
    if (again?.user.id !== now.user.id) throw error;
    return send(operation, options, again.token);
  }
}

/** All entries of a list, page by page. An answer that is an array has its next page in `Link`. */
export async function callAll(operation, options = {}) {
  const entries = [];
  let cursor;
  do {
    let linked;
    const seen = (headers) => {
      linked = headers.get("Link")?.match(/<([^>]+)>; rel="next"/)?.[1];
    };
    const page = await call(operation, { ...options, seen, query: { limit: 200, ...options.query, cursor } });
    entries.push(...(page.data ?? page));
    cursor = page.data ? page.next_cursor : linked && new URL(linked, location).searchParams.get("cursor");
  } while (cursor);
  return entries;
}

/** Asks if the server can be reached again, which ends `offline` where it can. */
export function knock() {
  return send("GET /health").then(
    () => true,
    () => false,
  );
}
