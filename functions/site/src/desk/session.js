/**
 * The session. The token is kept in the session storage of the tab: it outlives a reload and ends with the tab or a
 * log-out. Another tab asks for the password: no storage that tabs share is safe for a token.
 */
import { store } from "./ui.js";

/** Where a tab keeps its session: `{token, user}` as JSON. */
const KEPT = "microloans-session";

/**
 * Who is logged in.
 * @type {{get: () => {token: string, user: {id: string, username: string, role: string}} | null, set: Function,
 *   subscribe: Function}}
 */
export const session = store(kept());

/** The dialog to log in again that is open: what ends it. */
export const ended = store(null);

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    // A browser that keeps nothing for pages has nothing to go on with.
    return null;
  }
}

/** Begins a session, goes on with it under a new token, or ends it. */
export function setSession(next) {
  try {
    if (next) sessionStorage.setItem(KEPT, JSON.stringify(next));
    else sessionStorage.removeItem(KEPT);
  } catch {
    // Who reloads the page then logs in again.
  }
  session.set(next);
}

/** Waits until the reader has logged in again, or has left. All requests that find the session ended wait together. */
export function askToLogInAgain() {
  const open = ended.get();
  if (open) return open.done;
  let finish;
  const done = new Promise((resolve) => {
    finish = resolve;
  });
  ended.set({
    done,
    finish() {
      ended.set(null);
      finish();
    },
  });
  return done;
}
