/** Asking the interface, as a client of it like any other. */
/** A request that was refused, or that had no answer. Its message is meant for the user. */
export class Refusal extends Error {
  /**
   * @param {number} status The HTTP status, or 0 where there was no answer.
   * @param {string} message What to tell the user.
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** What a refusal says in words: the problem's detail, what is wrong with which field, and when to try again. */
function refusal(response, problem) {
  const sentences = [problem.detail ?? `The server answered with status ${response.status}`];
  for (const { detail } of problem.errors ?? []) sentences.push(detail);
  const seconds = response.headers.get("Retry-After");
  if (seconds) sentences.push(`Try again in ${seconds} s`);
  return new Refusal(response.status, sentences.map((sentence) => sentence.replace(/\.?$/, ".")).join(" "));
}

/**
 * Sends a request and gives the answer's body.
 * @param {string} method
 * @param {string} path
 * @param {{query?: object, body?: object, headers?: object, token?: string, signal?: AbortSignal}} options Empty values
 *   of the query are left out.
 * @throws {Refusal}
 */
export async function request(method, path, { query = {}, body, headers = {}, token, signal } = {}) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
  const all = new Headers(headers);
  if (token) all.set("Authorization", `Bearer ${token}`);
  if (body) all.set("Content-Type", "application/json");
  const options = { method, headers: all, signal, cache: "no-store", credentials: "omit", redirect: "error" };
  let response;
  try {
    response = await fetch(url, { ...options, body: body && JSON.stringify(body) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal(0, "The server cannot be reached.");
  }
  if (!response.ok) throw refusal(response, await response.json().catch(() => ({})));
  return response.status === 204 ? null : response.json();
}

/** What to tell the user of an error. One that is no refusal is a defect of this page. */
export function words(error) {
  if (error instanceof Refusal) return error.message;
  console.error(error);
  return "This page could not show what the server answered.";
}
