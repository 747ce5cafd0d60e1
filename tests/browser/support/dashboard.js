/** The dashboard as its reader has it: what stands where, and how to do something. */

import { expect } from "@playwright/test";

import { PASSWORD } from "./client.js";

/** The reference for what the page makes of an amount. */
export function grouped(value) {
  const [whole, fraction] = String(value).split(".");
  const groups = BigInt(whole).toLocaleString("en-US");
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

export class Dashboard {
  constructor(page) {
    this.page = page;
    this.notice = page.locator("#notice");
    this.dialog = page.locator("#decision");
    this.reason = page.locator("#decision-reason");
    this.confirm = page.locator("#decision-confirm");
    this.loginMessage = page.locator("#login-message");
  }

  /** Opens the page and logs in. */
  async logIn(username, password = PASSWORD) {
    await this.page.goto("/dashboard");
    await this.page.fill("#username", username);
    await this.page.fill("#password", password);
    await this.page.press("#password", "Enter");
  }

  /** Logs in and waits until all is there. */
  async open(username) {
    await this.logIn(username);
    await this.loaded();
  }

  /** Waits until the dashboard is there and no section is loading. */
  async loaded() {
    const { page } = this;
    await page.locator("#totals > div, #no-money:not([hidden])").first().waitFor();
    // The collections come after the figures, which tell the day.
    await page.waitForFunction(() => document.querySelector("#collections-on").value !== "");
    await this.settled();
  }

  /** Waits until no section is loading. */
  settled() {
    return this.page.waitForFunction(() => document.querySelector("[aria-busy]") === null);
  }

  /** The texts of a table's cells, row by row. */
  rows(section) {
    return this.page.$$eval(`${section} tbody tr`, (rows) =>
      rows.map((row) => [...row.cells].map((cell) => cell.innerText)),
    );
  }

  /** The figures of a list, by their names. */
  async figures(list) {
    const pairs = await this.page.$$eval(`${list} > div`, (entries) =>
      entries.map((entry) => [...entry.children].map((part) => part.textContent)),
    );
    return Object.fromEntries(pairs);
  }

  /** What the sections say is wrong. */
  messages() {
    return this.page.$$eval(".message", (found) => found.map((it) => it.textContent).filter(Boolean));
  }

  /** The label of what has the focus, or its id. */
  focused() {
    return this.page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.id);
  }

  /** What this tab and this browser keep: entries of local storage, of session storage, cookies. */
  kept() {
    return this.page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]);
  }

  /** Opens the dialog of a decision. */
  async decide(action, whom) {
    await this.page.click(`[aria-label^="${action} ${whom}"]`);
    await this.dialog.waitFor();
  }
}

/** Each status and each currency against statistics. */
export async function expectFigures(dashboard, statistics) {
  const { page } = dashboard;
  const counts = { all: statistics.total_loans, ...statistics.by_status };
  const shown = Object.fromEntries(Object.entries(counts).map(([status, count]) => [status, grouped(count)]));
  expect(await dashboard.figures("#statuses")).toEqual(shown);
  await expect(page.locator("#as-of")).toHaveText(statistics.as_of);
  expect(await page.locator("[role=tab]").allTextContents()).toEqual(Object.keys(statistics.by_currency));
  const names = {
    Outstanding: "outstanding",
    "Past due": "past_due",
    Disbursed: "disbursed",
    Repaid: "repaid",
    "Applied for": "total_amount",
    "Average loan": "avg_amount",
  };
  for (const [currency, sums] of Object.entries(statistics.by_currency)) {
    await page.click(`#tab-${currency}`);
    const totals = await dashboard.figures("#totals");
    for (const [name, field] of Object.entries(names)) {
      expect(totals[name], `${currency}: ${name}`).toBe(`${grouped(sums[field])} ${currency}`);
    }
    expect(totals.Loans).toBe(grouped(sums.loans));
    await expect(page.locator("[aria-selected=true]")).toHaveCount(1);
  }
}
