/**
 * The session and what is shown to it. The access token is kept in the session storage of the tab: it outlives a reload
 * and ends with the tab or a log-out.
 */
import { at } from "./elements.js";
import { Refusal, request } from "./interface.js";

/** Where a tab keeps its session: `{token, user}` as JSON. */
const KEPT = "microloans-session";

/**
 * Who is logged in: the token, the user, and what ends all requests that are under way when the session does.
 * @type {{token: string, user: {id: string, username: string}, ended: AbortController} | null}
 */
export let session = null;

/** What is shown to this session; see `start`. */
export let view = null;

/** Begins a session, which this tab keeps over a reload. */
export function begin(token, user) {
  session = { token, user, ended: new AbortController() };
  keep({ token, user });
}

/** Says what is shown to the session. */
export function look(shown) {
  view = shown;
}

/** The session that this tab has kept over a reload: `{token, user}`, or nothing. */
export function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    // A browser that keeps nothing for pages has nothing to go on with.
    return null;
  }
}

/** Keeps the session for a reload, or forgets it. */
function keep(kept) {
  try {
    if (kept) sessionStorage.setItem(KEPT, JSON.stringify(kept));
    else sessionStorage.removeItem(KEPT);
  } catch {
    // Who reloads the page then logs in again.
  }
}

/** Forgets the session and all that was shown in it. */
export function end(message) {
  session.ended.abort();
  session = null;
  keep(null);
  view.plot?.destroy();
  view = null;
  at("decision").remove();
  at("dashboard").remove();
  at("login").hidden = false;
  at("login-message").textContent = message;
  at("username").focus();
}

/** Sends a request in the session. A session that is over leads back to the login. */
export async function ask(method, path, options = {}) {
  const { token, ended } = session;
  try {
    return await request(method, path, { signal: ended.signal, ...options, token });
  } catch (error) {
    if (error instanceof Refusal && error.status === 401 && session?.token === token) {
      end("Your session has ended. Log in again.");
    }
    throw error;
  }
}

/** Every thing of a list, page by page. */
export async function askAll(path, query) {
  const things = [];
  let cursor = null;
  do {
    const page = await ask("GET", path, { query: { ...query, cursor } });
    things.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor);
  return things;
}
