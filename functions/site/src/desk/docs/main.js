/** The reader of the interface's document: all operations, with a filter, and a way to try each. */
import { useStore } from "../router.js";
import { session, setSession } from "../session.js";
import { html, render, useEffect, useMemo, useState } from "../ui.js";
import { Operation } from "./operation.js";
import { Prose } from "./schema.js";
import { w } from "./words.js";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];

/** The operations of the document, in the order of its tags. */
function entriesOf(document) {
  const entries = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => {
      const operation = item[method];
      const words = [method, path, operation.summary, operation.operationId, operation.description, ...(operation.tags ?? [])];
      return { method, path, operation, id: operation.operationId, tag: operation.tags?.[0] ?? "", words: words.join(" ").toLowerCase() };
    }),
  );
  const tags = [...(document.tags ?? []).map(({ name }) => name), ...new Set(entries.map(({ tag }) => tag))];
  return [...new Set(tags)]
    .map((tag) => ({ tag, about: document.tags?.find(({ name }) => name === tag)?.description, entries: entries.filter((entry) => entry.tag === tag) }))
    .filter(({ entries: found }) => found.length > 0);
}

const NOTHING = { username: "", password: "", totp: "", token: "" };

function Login() {
  const now = useStore(session);
  const [values, setValues] = useState(NOTHING);
  const [problem, setProblem] = useState(null);
  const set = (name) => ({ value: values[name], onInput: ({ target }) => setValues({ ...values, [name]: target.value }) });
  const logIn = async (event) => {
    event.preventDefault();
    setProblem(null);
    const { username, password } = values;
    const totp = values.totp || undefined;
    try {
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch("/api/auth/login", { method: "POST", headers, body: JSON.stringify({ username, password, totp }) });
      const body = await answer.json();
      if (!answer.ok) return setProblem(w.wrong(body.detail));
      setValues(NOTHING);
      setSession({ token: body.access_token, user: body.user });
    } catch {
      setProblem(w.unreachable);
    }
  };
  const take = async (event) => {
    event.preventDefault();
    setProblem(null);
    const token = values.token.trim();
    const answer = await fetch("/api/auth/me", { headers: { Authorization: `Bearer ${token}` } }).catch(() => null);
    if (!answer?.ok) return setProblem(w.wrong());
    setSession({ token, user: await answer.json() });
  };
  if (now) {
    return html`<p role="status">${w.loggedIn(now.user.username)}</p>
      <button type="button" class="small" onClick=${() => setSession(null)}>${w.logOut}</button>`;
  }
  return html`<details>
    <summary>${w.logIn}</summary>
    <form onSubmit=${logIn}>
      ${problem && html`<p class="error" role="alert">${problem}</p>`}
      <label class="field">${w.username}<input required autocomplete="username" ...${set("username")} /></label>
      <label class="field">${w.password}<input required type="password" autocomplete="current-password" ...${set("password")} /></label>
      <label class="field">${w.totp}<input autocomplete="one-time-code" ...${set("totp")} /></label>
      <button type="submit" class="primary">${w.logIn}</button>
    </form>
    <form onSubmit=${take}>
      <label class="field">${w.orToken}<input required autocomplete="off" ...${set("token")} /></label>
      <button type="submit">${w.use}</button>
    </form>
  </details>`;
}

const named = () => decodeURIComponent(location.hash.slice(1));

function Reader({ document }) {
  const groups = useMemo(() => entriesOf(document), [document]);
  const [filter, setFilter] = useState("");
  const [open, setOpen] = useState(() => new Set([named()]));
  useEffect(() => {
    const follow = () => {
      const id = named();
      setOpen((old) => new Set([...old, id]));
      requestAnimationFrame(() => {
        const entry = globalThis.document.getElementById(id);
        entry?.scrollIntoView();
        entry?.querySelector("summary")?.focus({ preventScroll: true });
      });
    };
    addEventListener("hashchange", follow);
    if (named()) follow();
    return () => removeEventListener("hashchange", follow);
  }, []);
  const wanted = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = groups
    .map((group) => ({ ...group, entries: group.entries.filter(({ words }) => wanted.every((word) => words.includes(word))) }))
    .filter(({ entries }) => entries.length > 0);
  const count = (list) => list.reduce((all, { entries }) => all + entries.length, 0);
  const toggle = (id) => (isOpen) => setOpen((old) => (isOpen ? new Set([...old, id]) : new Set([...old].filter((other) => other !== id))));
  return html`<a class="skip" href="#operations">${w.skip}</a>
    <header class="side">
      <p class="title">${document.info.title} <small>${document.info.version}</small></p>
      <p><a href="/desk">${w.desk}</a> · <a href="/openapi.json">${w.document}</a></p>
      <${Login} />
      <div role="search">
        <label class="field"
          >${w.filter} <input type="search" value=${filter} placeholder=${w.filterHint} onInput=${({ target }) => setFilter(target.value)}
        /></label>
      </div>
      <p class="type" role="status">${w.shown(count(shown), count(groups))}</p>
      <nav aria-label=${w.operations}>
        ${shown.map(
          ({ tag, entries }) => html`<details key=${tag} open=${wanted.length > 0}>
            <summary>${tag}</summary>
            <ul>
              ${entries.map((entry) => html`<li key=${entry.id}><a href="#${entry.id}">${entry.operation.summary}</a></li>`)}
            </ul>
          </details>`,
        )}
      </nav>
    </header>
    <main id="operations" tabindex="-1">
      <h1>${document.info.title}</h1>
      <div class="about"><${Prose} text=${document.info.description} /></div>
      ${shown.length === 0 && html`<p>${w.nothing}</p>`}
      ${shown.map(
        ({ tag, about, entries }) => html`<section key=${tag}>
          <h2>${tag}</h2>
          <${Prose} text=${about} />
          ${entries.map((entry) => html`<${Operation} key=${entry.id} document=${document} entry=${entry} isOpen=${open.has(entry.id)} toggle=${toggle(entry.id)} />`)}
        </section>`,
      )}
    </main>`;
}

function App() {
  const [state, setState] = useState({});
  const load = () =>
    fetch("/openapi.json")
      .then((answer) => answer.json())
      .then(
        (document) => setState({ document }),
        () => setState({ failed: true }),
      );
  useEffect(() => {
    load();
  }, []);
  if (state.document) return html`<${Reader} document=${state.document} />`;
  return html`<main>
    <h1>${w.title}</h1>
    <p role="status">${state.failed ? w.failed : w.loading}</p>
    ${state.failed && html`<button type="button" onClick=${load}>${w.retry}</button>`}
  </main>`;
}

render(html`<${App} />`, document.getElementById("docs"));
