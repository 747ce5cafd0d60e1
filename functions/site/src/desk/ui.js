/** Components by Preact, their markup by htm. Everything that draws imports from here. */
import htm from "./vendor/htm.mjs";
import { Fragment, createContext, h, render } from "./vendor/preact.mjs";

export {
  useCallback,
  useContext,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "./vendor/hooks.mjs";
export { Fragment, createContext, render };

export const html = htm.bind(h);

/** A value that components follow: `get`, `set`, and `subscribe`, which gives the function that ends it. */
export function store(value) {
  const followers = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const follower of [...followers]) follower(value);
    },
    subscribe(follower) {
      followers.add(follower);
      return () => followers.delete(follower);
    },
  };
}

/** Joins the class names that apply. */
export const classes = (...names) => names.filter(Boolean).join(" ");
