/**
 * The dashboard: shows the portfolio to staff and takes an admin's decisions, as a client of the interface like any
 * other.
 *
 * The access token is kept in the session storage of the tab: it outlives a reload and ends with the tab or a log-out. What
 * comes from the interface enters the page as text and never as markup, which the page's policy enforces too. Amounts stay the strings that they come as;
 * they are grouped for reading and not computed with. Only the plot and the bars make numbers of them, to find pixels.
 */
/* global uPlot */

/** How many rows a page of a list has, and how many days one of the history. */
const ROWS = 10;
const DAYS = 90;

/** How many agents are asked for at once: the most that the interface gives. */
const AGENTS = 200;

const STATUSES = ["pending", "approved", "disbursed", "repaid", "defaulted", "rejected", "withdrawn"];
const RISKS = ["par1", "par30", "par60", "par90"];

/** Where a tab keeps its session: `{token, user}` as JSON. */
const KEPT = "microloans-session";

/** The name of the lender's time zone, which the page comes with. */
const ZONE = document.documentElement.dataset.timeZone;

/**
 * Who is logged in: the token, the user, and what ends all requests that are under way when the session does.
 * @type {{token: string, user: {id: string, username: string}, ended: AbortController} | null}
 */
let session = null;

/** What is shown to this session; see `start`. */
let view = null;

// ---------------------------------------------------------------------------------------------------------------------
// Asking the interface.

/** A request that was refused, or that had no answer. Its message is meant for the user. */
class Refusal extends Error {
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
 * @param {{query?: object, body?: object, headers?: object, token?: string, signal?: AbortSignal}} options What is empty
 *   in the query is left out.
 * @throws {Refusal}
 */
async function request(method, path, { query = {}, body, headers = {}, token, signal } = {}) {
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

/** Sends a request in the session. A session that is over leads back to the login. */
async function ask(method, path, options = {}) {
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
async function askAll(path, query) {
  const things = [];
  let cursor = null;
  do {
    const page = await ask("GET", path, { query: { ...query, cursor } });
    things.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor);
  return things;
}

/** What to tell the user of an error. One that is no refusal is a defect of this page. */
function words(error) {
  if (error instanceof Refusal) return error.message;
  console.error(error);
  return "This page could not show what the server answered.";
}

// ---------------------------------------------------------------------------------------------------------------------
// Words and figures.

/**
 * An amount or a count with its thousands set apart: "1234567.50" is "1,234,567.50".
 * @param {string | number} value
 */
function grouped(value) {
  const [whole, fraction] = String(value).split(".");
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

/**
 * A fraction as a percentage, by moving the point: "0.0425" is "4.25 %". Where there is none, a dash.
 * @param {string | null} share
 */
function percent(share) {
  if (share === null) return "–";
  const [whole, fraction = ""] = String(share).split(".");
  const digits = fraction.padEnd(2, "0");
  const integer = (whole + digits.slice(0, 2)).replace(/^0+(?=\d)/, "");
  return digits.length > 2 ? `${integer}.${digits.slice(2)} %` : `${integer} %`;
}

/** Whether an amount is more than nothing. */
const isSome = (amount) => /[1-9]/.test(amount);

/** "1 loan", "1,200 loans". */
const loansOf = (count) => `${grouped(count)} ${count === 1 ? "loan" : "loans"}`;

/** Splits instants into date, time and zone as they are at the lender's; in UTC where the browser does not know its zone. */
const clock = (() => {
  const numeric = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
  const format = (timeZone) =>
    new Intl.DateTimeFormat("en-GB", { ...numeric, hourCycle: "h23", timeZoneName: "short", timeZone });
  try {
    return format(ZONE);
  } catch {
    return format("UTC");
  }
})();

/** An instant to the minute for the lender: "2026-03-02T09:30:00.000000Z" is "2026-03-02 12:30 GMT+3" in Nairobi. */
function minute(instant) {
  const parts = clock.formatToParts(new Date(instant)).map(({ type, value }) => [type, value]);
  const { year, month, day, hour, minute: minutes, timeZoneName } = Object.fromEntries(parts);
  return `${year}-${month}-${day} ${hour}:${minutes} ${timeZoneName}`;
}

/** How often a loan's instalments are due: "monthly", "every 2 weeks". */
function rhythm({ repay_every: every, repay_unit: unit }) {
  if (every > 1) return `every ${every} ${unit}s`;
  return { day: "daily", week: "weekly", month: "monthly" }[unit];
}

/** How an agent is called: by username where it is known. */
function agentName(id) {
  if (id === null) return "no agent";
  return view.agents.get(id) ?? id;
}

// ---------------------------------------------------------------------------------------------------------------------
// Parts of the page.

const at = (id) => document.getElementById(id);

/** An element with attributes and children; a string among those is text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** A button that says what it does, also to those who do not see its row. */
function button(text, label, act) {
  const made = element("button", { type: "button", "aria-label": label }, text);
  made.addEventListener("click", act);
  return made;
}

/** A name and its figure, for a `dl`. */
function figure(name, value, unit = "", kind = "") {
  const small = unit && element("small", {}, ` ${unit}`);
  return element("div", { class: kind }, element("dt", {}, name), element("dd", {}, value, small));
}

/**
 * Fills a row. Each cell carries its column's heading, since on a narrow screen a row is shown as a card; that takes
 * from the table its meaning for assistive technology, which the roles give back.
 * @param {HTMLTableRowElement} row
 * @param {HTMLTableElement} table
 * @param {(string | Node)[]} contents
 */
function fill(row, table, contents) {
  const headings = [...table.tHead.rows[0].cells];
  const cells = contents.map((content, column) => {
    const heading = headings[column];
    const cell = column === 0 ? element("th", { scope: "row", role: "rowheader" }) : element("td", { role: "cell" });
    cell.className = heading.className;
    cell.dataset.heading = heading.textContent;
    cell.append(content);
    return cell;
  });
  row.setAttribute("role", "row");
  row.replaceChildren(...cells);
}

/** Puts rows into a table, one for each thing. */
function fillTable(table, things, contents) {
  const rows = things.map((thing) => {
    const row = element("tr");
    fill(row, table, contents(thing, row));
    return row;
  });
  table.tBodies[0].append(...rows);
  return rows;
}

function nameRoles(table) {
  table.setAttribute("role", "table");
  for (const part of [table.tHead, ...table.tBodies]) part.setAttribute("role", "rowgroup");
  table.tHead.rows[0].setAttribute("role", "row");
  for (const heading of table.tHead.rows[0].cells) {
    heading.setAttribute("role", "columnheader");
    heading.scope = "col";
  }
}

/** Tells what has been done, or that something could not be; an empty text takes the last one away. */
function tell(text) {
  at("notice").textContent = text;
}

/** Whether an error is that the server cannot be reached, which one banner says for all sections. */
function isOffline(error) {
  const offline = error instanceof Refusal && error.status === 0;
  if (offline) {
    view.offline = true;
    at("offline").hidden = false;
  }
  return offline;
}

/**
 * Loads what a section shows. What is wrong is said in the section; a later load of it ends an earlier one.
 * @param {HTMLElement} section
 * @param {(signal: AbortSignal) => Promise<void>} work
 */
async function load(section, work) {
  const message = section.querySelector(".message");
  view.loading.get(section)?.abort();
  const mine = new AbortController();
  view.loading.set(section, mine);
  const signal = AbortSignal.any([mine.signal, session.ended.signal]);
  section.setAttribute("aria-busy", "true");
  try {
    await work(signal);
    message.textContent = "";
  } catch (error) {
    if (!signal.aborted) message.textContent = isOffline(error) ? "" : words(error);
  } finally {
    if (!signal.aborted) section.removeAttribute("aria-busy");
  }
}

/** A list that is had page by page, in a section with a table, words for an empty one, and a button for more. */
class PagedTable {
  /**
   * @param {string} id The section's.
   * @param {string} path Where the list is had.
   * @param {(thing: object, row: HTMLTableRowElement) => (string | Node)[]} contents A row's cells.
   */
  constructor(id, path, contents) {
    this.section = at(id);
    this.path = path;
    this.contents = contents;
    this.table = this.section.querySelector("table");
    this.more = this.section.querySelector(".more");
    this.query = {};
    this.cursor = null;
    this.more.addEventListener("click", () => this.page(this.cursor));
  }

  /** Shows the first page of what is asked for. */
  show(query) {
    this.query = query;
    return this.page(null);
  }

  page(cursor) {
    return load(this.section, async (signal) => {
      const query = { ...this.query, limit: ROWS, cursor };
      // Rows may name agents.
      const [page] = await Promise.all([ask("GET", this.path, { query, signal }), view.agentsKnown]);
      if (!cursor) this.table.tBodies[0].replaceChildren();
      const [first] = fillTable(this.table, page.data, this.contents);
      this.cursor = page.next_cursor;
      this.settle();
      // The button that had the focus is gone after the last page.
      if (cursor && !this.cursor && first) {
        first.tabIndex = -1;
        first.focus();
      }
    });
  }

  /** Shows the table, or says that there is nothing in it. */
  settle() {
    const rows = this.table.tBodies[0].rows.length;
    this.table.hidden = rows === 0;
    this.more.hidden = !this.cursor;
    this.section.querySelector(".empty").hidden = rows > 0 || Boolean(this.cursor);
  }

  /** Takes a row away and moves the focus to the one that follows, which may be on the next page. */
  async remove(row) {
    const place = row.sectionRowIndex;
    row.remove();
    this.settle();
    const { rows } = this.table.tBodies[0];
    if (place === rows.length && this.cursor) await this.page(this.cursor);
    this.focus(rows[place] ?? rows[place - 1]);
  }

  /** Moves the focus to a row's first button or, where there is no row, to the heading. */
  focus(row) {
    const heading = this.section.querySelector("h2");
    heading.tabIndex = -1;
    (row?.querySelector("button") ?? heading).focus();
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The book: how many loans in which state, and the sums of each currency.

function showOverview() {
  return load(at("overview"), async (signal) => {
    const statistics = await ask("GET", "/api/stats", { signal });
    view.statistics = statistics;
    at("as-of").textContent = statistics.as_of;
    const counts = STATUSES.map((status) => figure(status, grouped(statistics.by_status[status])));
    at("statuses").replaceChildren(figure("all", grouped(statistics.total_loans)), ...counts);
    showCurrencies(Object.keys(statistics.by_currency));
  });
}

function showCurrencies(codes) {
  at("no-money").hidden = codes.length > 0;
  for (const part of ["currencies", "currency"]) at(part).hidden = codes.length === 0;
  const tabs = codes.map((code) => {
    const attributes = { type: "button", role: "tab", id: `tab-${code}`, "aria-controls": "currency" };
    const tab = element("button", attributes, code);
    tab.addEventListener("click", () => showCurrency(code));
    return tab;
  });
  at("currencies").replaceChildren(...tabs);
  if (codes.length > 0) showCurrency(codes.includes(view.currency) ? view.currency : codes[0]);
}

/** Shows the figures of one currency: they never mix. */
function showCurrency(code) {
  view.currency = code;
  for (const tab of at("currencies").children) {
    const chosen = tab.id === `tab-${code}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  at("currency").setAttribute("aria-labelledby", `tab-${code}`);
  showTotals();
  showDays();
  showArrears();
}

/** Arrows, Home and End choose among the tabs. */
function moveAmongTabs(event) {
  const tabs = [...at("currencies").children];
  const now = tabs.indexOf(event.target);
  const last = tabs.length - 1;
  const steps = { ArrowRight: now === last ? 0 : now + 1, ArrowLeft: now === 0 ? last : now - 1, Home: 0, End: last };
  const next = tabs[steps[event.key]];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.click();
}

function showTotals() {
  const code = view.currency;
  const sums = view.statistics.by_currency[code];
  at("totals").replaceChildren(
    figure("Outstanding", grouped(sums.outstanding), code, "main"),
    figure("Past due", grouped(sums.past_due), code, isSome(sums.past_due) ? "main late" : "main"),
    figure("Disbursed", grouped(sums.disbursed), code),
    figure("Repaid", grouped(sums.repaid), code),
    figure("Applied for", grouped(sums.total_amount), code),
    figure("Average loan", grouped(sums.avg_amount), code),
    figure("Loans", grouped(sums.loans)),
  );
}

// ---------------------------------------------------------------------------------------------------------------------
// The history: what is kept of each day.

/** Loads the latest days, or with a cursor the days before those that are shown. */
function showHistory(cursor = null) {
  return load(at("history"), async (signal) => {
    const query = { interval: at("interval").value, limit: DAYS, cursor };
    const page = await ask("GET", "/api/stats/history", { query, signal });
    view.days = cursor ? [...view.days, ...page.data] : page.data;
    view.earlier = page.next_cursor;
    showDays();
  });
}

/** Shows the days in the chosen currency, the latest first in the table and last in the plot. */
function showDays() {
  if (!view.currency || !view.days) return;
  const section = at("history");
  const days = withToday(view.days).filter((day) => day.by_currency[view.currency]);
  const empty = section.querySelector(".empty");
  empty.textContent = `No figures of ${view.currency} have been kept yet.`;
  empty.hidden = days.length > 0;
  at("plot-figure").hidden = days.length === 0;
  // One point is no line.
  at("plot").hidden = days.length < 2;
  at("history-figures").hidden = days.length === 0;
  section.querySelector(".more").hidden = !view.earlier;
  at("history-table").tBodies[0].replaceChildren();
  fillTable(at("history-table"), days, (day) => {
    const sums = day.by_currency[view.currency];
    const amounts = [sums.disbursed, sums.repaid, sums.outstanding, sums.past_due];
    return [day.as_of, grouped(sums.loans), ...amounts.map(grouped)];
  });
  draw(days.toReversed());
}

/**
 * The days that are kept, the latest first, with the figures as they are now for the last of them: what is kept of today is
 * as old as the last run of the scheduled function.
 */
function withToday(days) {
  if (!view.statistics) return days;
  const now = period(view.statistics.as_of);
  return [view.statistics, ...days.filter((day) => period(day.as_of) !== now)];
}

/** The day, week or month in which a day is, of which the history shows the last day. */
function period(day) {
  const interval = at("interval").value;
  if (interval !== "week") return interval === "month" ? day.slice(0, 7) : day;
  const days = Date.parse(`${day}T00:00:00Z`) / 86_400_000;
  // The first day of all such counts was a Thursday; weeks begin on Mondays.
  return String(Math.floor((days + 3) / 7));
}

/** Says what the figures of a day are, above the plot. */
function readOut(day) {
  const sums = day.by_currency[view.currency];
  const series = (name, amount, kind) => element("span", { class: `series ${kind}` }, `${name} ${grouped(amount)}`);
  at("readout").replaceChildren(
    element("span", {}, day.as_of),
    series("Outstanding", sums.outstanding, "outstanding"),
    series("Past due", sums.past_due, "late"),
    element("span", { class: "muted" }, view.currency),
  );
}

/** Draws the plot of days in their order. */
function draw(days) {
  view.plot?.destroy();
  view.plot = null;
  if (days.length === 0) return;
  const box = at("plot");
  const [first, last] = [days[0], days.at(-1)];
  readOut(last);
  if (days.length < 2) return;
  const span = `from ${first.as_of} to ${last.as_of}`;
  const label = `Outstanding and past due in ${view.currency} ${span}. The table below has the figures.`;
  box.setAttribute("aria-label", label);
  const amounts = (name) => days.map((day) => Number(day.by_currency[view.currency][name]));
  const seconds = days.map((day) => Date.parse(`${day.as_of}T00:00:00Z`) / 1000);
  const point = (plot) => readOut(days[plot.cursor.idx ?? days.length - 1]);
  view.plot = new uPlot(plotOptions(box, point), [seconds, amounts("outstanding"), amounts("past_due")], box);
}

function plotOptions(box, point) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`);
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: colour("muted"), font, ticks: { show: false }, grid: { stroke: colour("line"), width: 1 } };
  const line = (name, fill) => ({ stroke: colour(name), width: 2, fill: fill && colour(fill), points: { size: 5 } });
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
  const month = 28 * 24 * 60 * 60;
  const dates = (plot, times, _axis, _space, step) =>
    times.map((time) => new Date(time * 1000).toISOString().slice(0, step >= month ? 7 : 10));
  return {
    width: box.clientWidth,
    height: plotHeight(box),
    padding: [8, 32, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    // A business date is no instant: the browser's time zone must not move it.
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
    scales: { y: { range: (_plot, _least, most) => uPlot.rangeNum(0, most || 1, 0.1, true) } },
    series: [{}, line("accent", "accent-wash"), line("late")],
    axes: [
      { ...axis, size: 32, space: 110, grid: { show: false }, values: dates },
      { ...axis, size: 52, values: (_plot, values) => values.map((value) => short.format(value)) },
    ],
    hooks: { setCursor: [point] },
  };
}

const plotHeight = (box) => (box.clientWidth < 600 ? 200 : 280);

function resizePlot() {
  // The observer may have its say once more when the session has ended.
  const box = at("plot");
  if (view?.plot && box?.clientWidth > 0) view.plot.setSize({ width: box.clientWidth, height: plotHeight(box) });
}

// ---------------------------------------------------------------------------------------------------------------------
// The portfolio at risk.

function loadArrears() {
  return load(at("arrears"), async (signal) => {
    const group = at("group-by").value;
    const arrears = await ask("GET", "/api/portfolio/arrears", { query: { group_by: group }, signal });
    // Groups of agents are shown by name.
    await view.agentsKnown;
    view.arrears = { group, groups: arrears };
    showArrears();
  });
}

function showArrears() {
  if (!view.currency || !view.arrears) return;
  const table = at("arrears-table");
  const { group, groups } = view.arrears;
  const shown = groups.filter((arrears) => arrears.currency === view.currency && isSome(arrears.outstanding));
  table.tBodies[0].replaceChildren();
  fillTable(table, shown, (arrears) => {
    const name = group === "agent" ? agentName(arrears.group) : (arrears.group ?? "–");
    const outstanding = element("div", {}, grouped(arrears.outstanding), detail(loansOf(arrears.loans)));
    return [name, outstanding, ...RISKS.map((risk) => atRisk(arrears[risk]))];
  });
  table.hidden = shown.length === 0;
  at("arrears").querySelector(".empty").hidden = shown.length > 0;
}

const detail = (text) => element("span", { class: "detail" }, text);

/** What is at risk: the share, a bar as long as that, the amount and the loans. */
function atRisk({ amount, share, loans }) {
  const bar = element("span", { class: "bar" }, element("span"));
  // The policy forbids a style attribute; a property set by this script is no such thing.
  bar.firstChild.style.inlineSize = `${Math.min(100, Number(share) * 100)}%`;
  return element("div", {}, percent(share), bar, detail(grouped(amount)), detail(loansOf(loans)));
}

// ---------------------------------------------------------------------------------------------------------------------
// Decisions.

/** The two buttons of what waits for a decision. */
function decisions(about, decideOn) {
  const choice = (text, action) => {
    const made = button(text, `${text} ${about}`, () => decideOn(action));
    made.classList.add(action);
    return made;
  };
  return element("div", { class: "actions" }, choice("Approve", "approve"), choice("Reject", "reject"));
}

/** A loan's cells in the queue. */
function loanCells(loan, row) {
  const { terms } = loan;
  const who = `${loan.borrower_username}, ${grouped(loan.amount)} ${loan.currency}`;
  const plan = `${terms.instalments} × ${grouped(loan.instalment)}, ${rhythm(terms)}`;
  return [
    loan.borrower_username,
    element("div", {}, `${grouped(loan.amount)} ${loan.currency}`, detail(loan.product)),
    element("div", {}, plan, detail(`${loan.interest_rate_apr} % a year, ${grouped(loan.total_due)} in all`)),
    agentName(loan.agent_id),
    minute(loan.created_at),
    decisions(who, (action) => decideLoan(loan, row, action)),
  ];
}

function decideLoan(loan, row, action) {
  const about = `${grouped(loan.amount)} ${loan.currency} for ${loan.borrower_username}`;
  askForDecision(action, "loan", about, async (reason) => {
    const headers = { "If-Match": `"${loan.version}"` };
    try {
      await ask("POST", `/api/loans/${loan.id}/${action}`, { body: reason ? { reason } : {}, headers });
    } catch (error) {
      if (!(error instanceof Refusal) || ![404, 409, 412].includes(error.status)) throw error;
      // The dialog was about a loan that is not like that any more.
      return overtaken(error, loan.id, row, about);
    }
    const show = () => {
      view.pendingLoans.remove(row);
      showOverview();
    };
    return { told: `${decided(action)}: ${about}.`, show };
  });
}

/** What to tell and to show of a loan on which a decision was refused since it is not what it was. */
async function overtaken(refusal, id, row, about) {
  let loan = null;
  try {
    loan = await ask("GET", `/api/loans/${id}`);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 404) throw error;
  }
  if (loan?.status === "pending") {
    const changed = "The loan has been changed in the meantime. It is shown as it is now: look at it again, then decide.";
    const show = () => {
      fill(row, view.pendingLoans.table, loanCells(loan, row));
      row.classList.add("changed");
      view.pendingLoans.focus(row);
    };
    return { told: refusal.status === 412 ? changed : refusal.message, show };
  }
  const show = () => {
    view.pendingLoans.remove(row);
    showOverview();
  };
  const now = loan ? `is ${loan.status} by now` : "is not there any more";
  return { told: `${about}: this loan ${now}. What you decided was not recorded.`, show };
}

function agentCells(agent, row) {
  const name = agent.full_name ?? agent.username;
  const actions = decisions(name, (action) => decideAgent(agent, row, action));
  return [name, agent.username, agent.email, agent.phone, minute(agent.created_at), actions];
}

function decideAgent(agent, row, action) {
  const about = agent.full_name ? `${agent.full_name} (${agent.username})` : agent.username;
  askForDecision(action, "agent", about, async (reason) => {
    try {
      await ask("POST", `/api/agents/${agent.id}/${action}`, { body: reason ? { reason } : {} });
    } catch (error) {
      if (!(error instanceof Refusal) || ![404, 409].includes(error.status)) throw error;
      const now = error.status === 404 ? "is not there any more" : "does not wait for a decision any more";
      const show = () => view.pendingAgents.remove(row);
      return { told: `${about} ${now}. What you decided was not recorded.`, show };
    }
    const show = () => {
      view.pendingAgents.remove(row);
      loadAgents();
    };
    return { told: `${decided(action)}: ${about}.`, show };
  });
}

const decided = (action) => ({ approve: "Approved", reject: "Rejected" })[action];

/**
 * Opens the dialog that asks whether it is meant, and why: to reject needs a reason.
 * @param {"approve" | "reject"} action
 * @param {"loan" | "agent"} what
 * @param {string} about Which one.
 * @param {(reason: string) => Promise<{told: string, show: () => void}>} act Does it, and gives what to tell and to do once
 *   the dialog is closed: while it is open, nothing outside of it takes the focus.
 */
function askForDecision(action, what, about, act) {
  const verb = { approve: "Approve", reject: "Reject" }[action];
  const reason = at("decision-reason");
  at("decision-title").textContent = `${verb} this ${what}?`;
  at("decision-about").textContent = about;
  at("decision-message").textContent = "";
  at("decision-reason-label").textContent = action === "reject" ? "Reason" : "Reason, if there is one to keep";
  at("decision-confirm").textContent = verb;
  at("decision-confirm").classList.toggle("reject", action === "reject");
  reason.value = "";
  reason.required = action === "reject";
  view.act = act;
  tell("");
  at("decision").showModal();
  reason.focus();
}

async function decide(event) {
  event.preventDefault();
  const [dialog, confirm, { act }] = [at("decision"), at("decision-confirm"), view];
  confirm.disabled = true;
  try {
    const { told, show } = await act(at("decision-reason").value.trim());
    if (view.act === act) dialog.close();
    show();
    tell(told);
  } catch (error) {
    // After a log-out there is no one to tell.
    if (!session) return;
    const text = words(error);
    if (dialog.open && view.act === act) at("decision-message").textContent = text;
    else tell(text);
  } finally {
    confirm.disabled = false;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Collections, and agents' work.

function collectionCells(item) {
  const amount = (value) => `${grouped(value)} ${item.currency}`;
  const overdue = element("span", { class: isSome(item.overdue) ? "late" : "" }, amount(item.overdue));
  return [item.customer, amount(item.due), overdue, grouped(item.days_past_due), element("code", {}, item.loan_id)];
}

/** Shows the business date's collections, unless another day was chosen; a page may be looked at for days. */
function showTodaysCollections() {
  const on = at("collections-on");
  if (on.value === view.today) {
    view.today = view.statistics?.as_of ?? "";
    on.value = view.today;
  }
  return showCollections();
}

function showCollections() {
  return view.collections.show({ on: at("collections-on").value, agent_id: at("collections-agent").value });
}

function showPerformance() {
  const section = at("performance");
  const empty = section.querySelector(".empty");
  const [summary, table] = [at("performance-summary"), section.querySelector("table")];
  const agent = view.admin ? at("performance-agent").value : "me";
  return load(section, async (signal) => {
    summary.hidden = true;
    table.hidden = true;
    empty.textContent = "Choose an agent to see its figures.";
    empty.hidden = Boolean(agent);
    if (!agent) return;
    const query = { from: at("performance-from").value, to: at("performance-to").value };
    const work = await ask("GET", `/api/agents/${encodeURIComponent(agent)}/performance`, { query, signal });
    const currencies = Object.entries(work.by_currency);
    const time = work.from ? `from ${work.from} to ${work.to}` : `up to ${work.to}`;
    empty.textContent = `Nothing ${time}.`;
    empty.hidden = currencies.length > 0;
    summary.textContent = `${grouped(work.requests)} requests, ${percent(work.approval_rate)} approved, ${time}.`;
    summary.hidden = currencies.length === 0;
    table.tBodies[0].replaceChildren();
    fillTable(table, currencies, ([code, sums]) => [
      code,
      grouped(sums.requests),
      percent(sums.approval_rate),
      grouped(sums.disbursed),
      grouped(sums.collected),
      atRisk(sums.par30),
    ]);
    table.hidden = currencies.length === 0;
  });
}

function showLoans() {
  return view.pendingLoans.show({ status: "pending", sort: "created_at" });
}

function showPendingAgents() {
  return view.pendingAgents.show({ status: "pending" });
}

/** Learns the agents' names, and offers those who work to choose among. Who is no admin knows its own name only. */
function loadAgents() {
  if (!view.admin) {
    view.agents = new Map([[session.user.id, session.user.username]]);
    view.agentsKnown = Promise.resolve();
    return;
  }
  view.agentsKnown = askAll("/api/agents", { limit: AGENTS }).then(offerAgents, (error) => {
    if (session && !isOffline(error)) tell(`The agents' names could not be had: ${words(error)}`);
  });
}

function offerAgents(agents) {
  view.agents = new Map(agents.map((agent) => [agent.id, agent.username]));
  const working = agents.filter((agent) => agent.status === "active" || agent.status === "suspended");
  working.sort((one, other) => (one.username < other.username ? -1 : 1));
  for (const select of [at("collections-agent"), at("performance-agent")]) {
    const chosen = select.value;
    const offered = working.map((agent) => element("option", { value: agent.id }, agent.username));
    select.replaceChildren(select.options[0], ...offered);
    select.value = view.agents.has(chosen) ? chosen : "";
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Logging in and out.

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

/** Goes on with the session that this tab has kept over a reload, if there is one. */
function resume() {
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    // A browser that keeps nothing for pages has nothing to go on with.
  }
  if (kept) start(kept.token, kept.user);
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

/** Shows the dashboard to who has logged in. */
function start(token, user) {
  session = { token, user, ended: new AbortController() };
  keep({ token, user });
  at("login").hidden = true;
  document.body.append(at("staff").content.cloneNode(true));
  view = {
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
  };
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

/** Forgets the session and all that was shown in it. */
function end(message) {
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

at("login-form").addEventListener("submit", logIn);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => view && showDays());
at("login").hidden = false;
resume();
