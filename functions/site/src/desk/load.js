/** Loading: what a component shows comes from the interface, and says so while it comes and where it does not. */
import { Refusal, offline, words } from "./api.js";
import { html, store, useCallback, useEffect, useRef, useState } from "./ui.js";
import { t } from "./words.js";

/** Counts up when everything in sight is to be loaded again. */
export const refreshed = store(0);

/** Loads again what is in sight. */
export const refresh = () => refreshed.set(refreshed.get() + 1);

/**
 * Loads something, again whenever one of `inputs` changes, and when the reader asks for all again.
 * @param {(signal: AbortSignal) => Promise<any>} work
 * @returns {{data: any, error: Error | null, busy: boolean, reload: () => Promise<void>, set: (data: any) => void}}
 *   While newer data come, `data` are the last ones.
 */
export function useLoad(work, inputs) {
  const [state, setState] = useState({ data: undefined, error: null, busy: true });
  const running = useRef(null);
  const latest = useRef(work);
  latest.current = work;
  const reload = useCallback(async () => {
    running.current?.abort();
    const mine = new AbortController();
    running.current = mine;
    setState((old) => ({ ...old, busy: true }));
    try {
      const data = await latest.current(mine.signal);
      if (!mine.signal.aborted) setState({ data, error: null, busy: false });
    } catch (error) {
      if (!mine.signal.aborted) setState((old) => ({ ...old, error, busy: false }));
      if (!(error instanceof Refusal) && !mine.signal.aborted) console.error(error);
    }
  }, []);
  useEffect(() => {
    reload();
    return () => running.current?.abort();
  }, inputs);
  useEffect(() => refreshed.subscribe(reload), []);
  const set = useCallback((data) => setState({ data, error: null, busy: false }), []);
  return { ...state, reload, set };
}

/** An error of a part of the page. That the server cannot be reached is said once, by the banner. */
export function Trouble({ error, retry }) {
  if (!error) return null;
  if (error instanceof Refusal && error.status === 0 && offline.get()) return null;
  if (error.code === "totp_enrolment_required") {
    return html`<div class="trouble" role="alert"><p>${t.code.needed} <a href="/desk/profile">${t.code.begin}</a></p></div>`;
  }
  return html`<div class="trouble" role="alert">
    <p>${words(error)}</p>
    ${retry && html`<button type="button" onClick=${retry}>${t.retry}</button>`}
  </div>`;
}

/**
 * Loaded data, drawn by `children(data)`; before that their shape in grey, or the error.
 * @param {{of: ReturnType<typeof useLoad>, lines?: number, children: (data: any) => any}} properties
 */
export function Loaded({ of: loading, lines = 3, children }) {
  const { data, error, busy, reload } = loading;
  return html`<div class="loaded" aria-busy=${busy ? "true" : "false"}>
    <${Trouble} error=${error} retry=${reload} />
    ${data === undefined
      ? !error && html`<${Grey} lines=${lines} />`
      : children(data)}
  </div>`;
}

/** Lines in grey where text will be. */
export function Grey({ lines }) {
  return html`<div class="grey" role="status" aria-label=${t.loading}>
    ${Array.from({ length: lines }, (_, line) => html`<span key=${line}></span>`)}
  </div>`;
}

/** Words where a list has nothing. */
export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

const modules = new Map();

/**
 * The component that a module has as its default, which is fetched when it is first shown.
 * @param {() => Promise<{default: Function}>} load The same function each time.
 */
export function useModule(load) {
  const [loaded, setLoaded] = useState({ load: null });
  useEffect(() => {
    if (!modules.has(load)) modules.set(load, load());
    modules.get(load).then(
      (module) => setLoaded({ load, Part: module.default }),
      () => {
        // The server may have another version by now, or is out of reach: the next try asks again.
        modules.delete(load);
        setLoaded({ load, failed: true });
      },
    );
  }, [load]);
  return loaded.load === load ? loaded : {};
}

/** A part of a page that is fetched when it is first shown. */
export function Lazy({ load, ...properties }) {
  const { Part, failed } = useModule(load);
  if (failed) return html`<p class="empty">${t.missing.moduleAbout}</p>`;
  return Part ? html`<${Part} ...${properties} />` : html`<${Grey} lines=${4} />`;
}
