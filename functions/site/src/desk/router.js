/** Addresses: each page has one, which can be shared, and the browser's back button leads to the page before. */
import { store, useEffect, useState } from "./ui.js";

const here = () => ({ path: location.pathname.replace(/\/+$/, ""), query: new URLSearchParams(location.search) });

/** The address that is shown: `{path, query}`. */
export const place = store(here());

/** Asks before leaving what is not sent: a function that says if the reader may be taken away. */
let guard = null;

/** Keeps the reader on a page until `ask` allows to leave it. Gives the function that ends this. */
export function keepHere(ask) {
  guard = ask;
  return () => {
    if (guard === ask) guard = null;
  };
}

function go(change) {
  if (guard && !guard()) return false;
  change();
  place.set(here());
  return true;
}

/** Opens an address of the desk. */
export function open(href) {
  return go(() => history.pushState({}, "", href)) && scrollTo(0, 0);
}

/** Puts another address in place of this one: of the same page, with another query. */
export function replace(href) {
  history.replaceState(history.state, "", href);
  place.set(here());
}

/** Changes entries of the query; an empty one is left out. */
export function setQuery(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  replace(location.pathname + (text ? `?${text}` : ""));
}

/** Follows a store from a component. */
export function useStore(followed) {
  const [value, setValue] = useState(followed.get());
  useEffect(() => {
    setValue(followed.get());
    return followed.subscribe(setValue);
  }, [followed]);
  return value;
}

/** An entry of the query that a reader changes, kept in the address. */
export function useQuery(name, fallback = "") {
  const { query } = useStore(place);
  return [query.get(name) ?? fallback, (value) => setQuery({ [name]: value === fallback ? "" : value })];
}

/** Links within the desk are followed here rather than by the browser, unless the reader wants them elsewhere. */
export function followLinks() {
  addEventListener("popstate", () => place.set(here()));
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
    const { pathname, search, origin, hash } = new URL(link.href);
    if (origin !== location.origin || !/^\/desk(\/|$)/.test(pathname) || (hash && pathname === location.pathname)) return;
    event.preventDefault();
    open(pathname + search + hash);
  });
}

/**
 * Finds the entry of a table of routes that an address is of.
 * @param {[string, any][]} routes Each with a pattern such as `/desk/loans/{id}`.
 * @returns {{route: any, path: Record<string, string>} | null}
 */
export function match(routes, path) {
  const parts = path.split("/");
  for (const [pattern, route] of routes) {
    const wanted = pattern.split("/");
    if (wanted.length !== parts.length) continue;
    const found = {};
    const fits = wanted.every((step, place) => {
      if (!step.startsWith("{")) return step === parts[place];
      try {
        found[step.slice(1, -1)] = decodeURIComponent(parts[place]);
      } catch {
        return false;
      }
      return parts[place] !== "";
    });
    if (fits) return { route, path: found };
  }
  return null;
}
