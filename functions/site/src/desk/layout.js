/** The frame of every page: ways to the others, who is logged in, what is wrong with the network, what has been done. */
import { call, knock, offline } from "./api.js";
import { Code, useCodedForm } from "./code.js";
import { Dialogs, Modal, Notice } from "./dialog.js";
import { Field, Form, UsernameOf } from "./forms.js";
import { number } from "./format.js";
import { Lazy, refresh, useLoad } from "./load.js";
import { place, useStore } from "./router.js";
import { ended, session, setSession } from "./session.js";
import { classes, createContext, html, useEffect, useRef, useState } from "./ui.js";
import { t } from "./words.js";

/** The ways of each role: address, word, the count of what waits there. */
const WAYS = {
  admin: [
    ["/desk", "home"],
    ["/desk/applications", "applications", "applications"],
    ["/desk/agents", "agents", "agents"],
    ["/desk/loans", "loans"],
    ["/desk/collections", "collections"],
    ["/desk/payments", "payments", "payments"],
    ["/desk/customers", "customers"],
    ["/desk/portfolio", "portfolio"],
    ["/desk/products", "products"],
    ["/desk/calendars", "calendars"],
    ["/desk/users", "users"],
    ["/desk/ledger", "ledger"],
    ["/desk/audit", "audit"],
  ],
  agent: [
    ["/desk", "home"],
    ["/desk/collections", "collections"],
    ["/desk/customers", "customers"],
    ["/desk/apply", "newApplication"],
    ["/desk/requests", "requests"],
    ["/desk/loans", "loans"],
    ["/desk/payments", "payments"],
    ["/desk/products", "products"],
    ["/desk/portfolio", "portfolio"],
  ],
  customer: [
    ["/desk", "myLoans"],
    ["/desk/products", "products"],
    ["/desk/apply", "apply"],
  ],
};

const APP = () => import("./pages/app.js");

/**
 * Sends that the session is over, and shows the login. An agent is asked first while payments wait on this device; the
 * day's collections do not stay there.
 */
export async function logOut() {
  const now = session.get();
  if (!now) return;
  if (now.user.role === "agent") {
    const { leave } = await APP();
    if (!(await leave(now.user))) return;
  }
  setSession(null);
  const headers = { Authorization: `Bearer ${now.token}` };
  await call("POST /api/auth/logout", { headers, anyone: true }).catch(() => {});
}

/** Counts of what waits for an admin, loaded once for the frame and the page in it. */
export const Waiting = createContext(null);

const useWaiting = (user) =>
  useLoad(async (signal) => {
    if (user.role !== "admin") return {};
    const find = (operation, state) => call(operation, { query: { ...state, limit: 200 }, signal });
    const [stats, agents, ...payments] = await Promise.all([
      call("GET /api/stats", { signal }),
      find("GET /api/agents", { status: "pending" }),
      find("GET /api/payments", { state: "unapplied" }),
      find("GET /api/payments", { state: "partly_applied" }),
    ]);
    const count = (...pages) => {
      const found = pages.reduce((all, { data }) => all + data.length, 0);
      return `${found || ""}${pages.some(({ next_cursor: more }) => more) ? "+" : ""}`;
    };
    return {
      applications: stats.by_status.pending,
      disbursements: stats.by_status.approved,
      agents: count(agents),
      payments: count(...payments),
    };
  }, [user.id]);

function Ways({ user, waiting }) {
  const { path } = useStore(place);
  const current = (way) => (way === "/desk" ? path === way : path === way || path.startsWith(`${way}/`));
  return html`<ul>
      ${WAYS[user.role].map(([way, word, count]) => {
        const waits = count && Number.parseInt(waiting?.[count], 10) > 0;
        return html`<li key=${way}>
          <a href=${way} aria-current=${current(way) ? "page" : null}>
            <span>${t.nav[word]}</span>
            ${waits && html` <span class="count">${number(waiting[count])}<span class="hidden"> ${t.nav.waiting}</span></span>`}
          </a>
        </li>`;
      })}
    </ul>`;
}

function Offline() {
  const [busy, setBusy] = useState(false);
  const isOffline = useStore(offline);
  const retry = async () => {
    setBusy(true);
    if (await knock()) refresh();
    setBusy(false);
  };
  useEffect(() => {
    addEventListener("online", retry);
    return () => removeEventListener("online", retry);
  }, []);
  return html`<div role="status">
    ${isOffline &&
    html`<div class="offline">
      <p>${t.errors.banner}</p>
      <button type="button" onClick=${retry}>${busy ? t.working : t.retry}</button>
    </div>`}
  </div>`;
}

/** The dialog of a session that has ended: the page below stays as it is. */
function LogInAgain() {
  const now = useStore(session);
  const logIn = async (values) => {
    const body = { username: now.user.username, ...values };
    const answer = await call("POST /api/auth/login", { body, anyone: true });
    setSession({ token: answer.access_token, user: answer.user });
    ended.get()?.finish();
  };
  const { form, isAsked } = useCodedForm({ password: "" }, "password", logIn);
  const leave = () => {
    setSession(null);
    ended.get()?.finish();
  };
  return html`<${Modal} close=${leave}>
    <h2>${t.again.title}</h2>
    <p>${t.again.about(now?.user.username)}</p>
    <${Form} form=${form} label=${t.login.button} cancel=${leave}>
      <${UsernameOf} name=${now?.user.username} />
      <${Field} form=${form} name="password" type="password" label=${t.login.password} autocomplete="current-password" />
      ${isAsked && html`<${Code} form=${form} />`}
    <//>
  <//>`;
}

/** Heads a page: its name, in the tab's title too. After a change of page it has the focus. */
export function Heading({ text, children, over }) {
  const heading = useRef(null);
  useEffect(() => {
    document.title = `${text} · ${t.brand}`;
  }, [text]);
  useEffect(() => {
    if (history.state !== null) heading.current.focus({ preventScroll: true });
  }, []);
  return html`<div class="heading page-heading">
    <div>
      ${over && html`<p class="over">${over}</p>`}
      <h1 ref=${heading} tabindex="-1">${text}</h1>
    </div>
    ${children && html`<div class="actions">${children}</div>`}
  </div>`;
}

/** A part of a page with a heading. */
export const Section = ({ title, children, actions, ...rest }) =>
  html`<section ...${rest}>
    <div class="heading">
      <h2>${title}</h2>
      ${actions && html`<div class="actions">${actions}</div>`}
    </div>
    ${children}
  </section>`;

/** The frame around a page. */
export function Shell({ user, children }) {
  const waiting = useWaiting(user);
  const { path } = useStore(place);
  const [isOpen, setOpen] = useState(false);
  const isEnded = useStore(ended);
  useEffect(() => setOpen(false), [path]);
  return html`<a class="skip" href="#main">${t.nav.skip}</a>
    <header class=${classes("side", isOpen && "open")}>
      <div class="brand">
        <a href="/desk"><img src=${new URL("icon.svg", import.meta.url).href} alt="" width="24" height="24" /> ${t.brand}</a>
        <button type="button" class="menu" aria-expanded=${isOpen ? "true" : "false"} aria-controls="ways" onClick=${() => setOpen(!isOpen)}>
          ${t.nav.menu}
        </button>
      </div>
      <div id="ways" class="ways">
        <nav aria-label=${t.nav.label}>
          <${Ways} user=${user} waiting=${waiting.data} />
          ${user.role === "agent" && html`<${Lazy} load=${APP} user=${user} current=${path === "/desk/queue"} />`}
        </nav>
        <div class="me">
          <a href="/desk/profile" aria-current=${path === "/desk/profile" ? "page" : null}>
            ${user.full_name ?? user.username}<span class="detail">${t.roles[user.role]}</span>
          </a>
          <button type="button" class="quiet" onClick=${logOut}>${t.nav.logOut}</button>
        </div>
      </div>
    </header>
    <div class="body">
      <${Offline} />
      <${Notice} />
      <main id="main" tabindex="-1"><${Waiting.Provider} value=${waiting}>${children}<//></main>
    </div>
    <${Dialogs} />
    ${isEnded && html`<${LogInAgain} />`}`;
}

