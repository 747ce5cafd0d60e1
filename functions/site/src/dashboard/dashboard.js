/**
 * The dashboard: shows the portfolio to staff and takes an admin's decisions, as a client of the interface like any
 * other. This module logs in and out and connects the controls; each section has a module of its own. Answers of the
 * interface enter the page as text and never as markup, which the page's CSP enforces too. Amounts stay the strings that
 * the interface sends; they are grouped for reading and not computed with.
 */
import { loadAgents } from "./agents.js";
import { loadArrears } from "./arrears.js";
import { collectionCells, showCollections, showTodaysCollections } from "./collections.js";
import { decide } from "./decisions.js";
import { at, nameRoles, tell } from "./elements.js";
import { showDays, showHistory } from "./history.js";
import { request, words } from "./interface.js";
import { moveAmongTabs, showOverview } from "./overview.js";
import { showPerformance } from "./performance.js";
import { resizePlot } from "./plot.js";
import { agentCells, loanCells, showLoans, showPendingAgents } from "./queues.js";
import { PagedTable } from "./sections.js";
import { begin, end, kept, look, session, view } from "./session.js";

/** Logs in with what the form holds. A customer's session is ended again: there is nothing here for it. */
async function logIn(event) {
  event.preventDefault();
  const [password, submit] = [at("password"), event.target.querySelector("button")];
  const message = at("login-message");
  message.textContent = "";
  submit.disabled = true;
  try {
    const body = { username: at("username").value.trim(), password: password.value };
    const { access_token: token, user } = await request("POST", "/api/auth/login", { body });
    if (user.role === "customer") {
      await request("POST", "/api/auth/logout", { token });
      message.textContent = "This page is for staff: agents and admins.";
    } else {
      start(token, user);
    }
  } catch (error) {
    message.textContent = words(error);
  } finally {
    submit.disabled = false;
    password.value = "";
  }
}

/** Shows the dashboard to a user who has logged in. */
function start(token, user) {
  begin(token, user);
  at("login").hidden = true;
  document.body.append(at("staff").content.cloneNode(true));
  look({
    admin: user.role === "admin",
    statistics: null,
    today: "",
    currency: null,
    days: null,
    earlier: null,
    arrears: null,
    plot: null,
    agents: new Map(),
    agentsKnown: null,
    act: null,
    offline: false,
    loading: new Map(),
    pendingLoans: new PagedTable("loans", "/api/loans", loanCells),
    pendingAgents: new PagedTable("agents", "/api/agents", agentCells),
    collections: new PagedTable("collections", "/api/collections", collectionCells),
  });
  for (const part of document.querySelectorAll("[data-admin]")) {
    part.hidden = !view.admin;
    if (part.tagName === "OPTION") part.disabled = !view.admin;
  }
  document.querySelectorAll("#dashboard table").forEach(nameRoles);
  at("who").textContent = `${user.full_name ?? user.username}, ${user.role}`;
  listen();
  showAll();
  at("title").focus();
}

/** What the controls of the dashboard do. */
function listen() {
  const on = (id, event, act) => at(id).addEventListener(event, act);
  on("refresh", "click", showAll);
  on("retry", "click", showAll);
  on("logout", "click", logOut);
  on("dismiss", "click", () => tell(""));
  on("currencies", "keydown", moveAmongTabs);
  on("interval", "change", () => showHistory());
  at("history").querySelector(".more").addEventListener("click", () => showHistory(view.earlier));
  on("group-by", "change", loadArrears);
  for (const id of ["collections-on", "collections-agent"]) on(id, "change", showCollections);
  for (const id of ["performance-agent", "performance-from", "performance-to"]) on(id, "change", showPerformance);
  on("decision-form", "submit", decide);
  on("decision-cancel", "click", () => at("decision").close());
  new ResizeObserver(resizePlot).observe(at("plot"));
}

/** Loads every section: what one of them is refused, the others do not wait for. */
async function showAll() {
  const mine = view;
  tell("");
  view.offline = false;
  loadAgents();
  const sections = [
    // The figures tell which day it is for the lender.
    showOverview().then(() => session && showTodaysCollections()),
    showHistory(),
    loadArrears(),
    showPerformance(),
    view.agentsKnown,
  ];
  if (view.admin) sections.push(showLoans(), showPendingAgents());
  await Promise.all(sections);
  // The banner stays until all is there. Its button may have the focus.
  if (view !== mine || view.offline || at("offline").hidden) return;
  if (at("offline").contains(document.activeElement)) at("title").focus();
  at("offline").hidden = true;
}

/** Ends the session, at the interface too. */
async function logOut() {
  const { token } = session;
  end("You have logged out.");
  try {
    await request("POST", "/api/auth/logout", { token });
  } catch (error) {
    // A token that is not valid any more needs no end.
    if (error.status === 401) return;
    at("login-message").textContent = `You are logged out here, but not at the server. ${words(error)}`;
  }
}

at("login-form").addEventListener("submit", logIn);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => view && showDays());
at("login").hidden = false;
const before = kept();
if (before) start(before.token, before.user);
