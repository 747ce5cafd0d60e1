/** The desk as its reader has it: what stands where, and how to do something. */

import { expect } from "@playwright/test";

import { PASSWORD } from "./client.js";

/** The reference for what the page makes of an amount. */
export function grouped(value) {
  const [whole, fraction] = String(value).split(".");
  const groups = BigInt(whole).toLocaleString("en-GB");
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

/** The reference for what the page makes of a business date. */
export const day = (text) => new Date(`${text}T00:00:00Z`).toLocaleDateString("en-GB", { dateStyle: "medium", timeZone: "UTC" });

export class Desk {
  constructor(page) {
    this.page = page;
    this.notice = page.locator(".notice");
    this.dialog = page.getByRole("dialog");
    this.heading = page.getByRole("heading", { level: 1 });
    this.trouble = page.locator(".trouble");
  }

  /** Opens a page and logs in. */
  async logIn(username, at = "/desk", password = PASSWORD) {
    await this.page.goto(at);
    await this.giveLogin(username, password);
  }

  async giveLogin(username, password) {
    await this.page.getByLabel("Username").fill(username);
    await this.page.getByLabel("Password").fill(password);
    await this.page.keyboard.press("Enter");
  }

  /** Logs in and waits until all is there. */
  async open(username, at = "/desk") {
    await this.page.goto(at);
    await this.pass(username);
  }

  /** Logs in on the page that is open, and waits until all is there. */
  async pass(username) {
    await this.giveLogin(username, PASSWORD);
    await this.page.getByRole("button", { name: "Log out" }).waitFor({ state: "attached" });
    await this.settled();
  }

  /** Goes to another page within the session. */
  async go(at) {
    await this.page.goto(at);
    await this.settled();
  }

  /** Waits until the page is there and nothing is loading. */
  async settled() {
    await this.page.locator("#main h1").waitFor();
    await this.page.waitForFunction(() => !document.querySelector("[aria-busy=true], .grey"));
  }

  /** Waits until what a press changes is on the screen, a dialog included. */
  async drawn() {
    await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
    await this.settled();
    if (await this.page.locator("dialog").count()) await this.dialog.waitFor();
  }

  /** The cells of a table by the name of its caption, row by row. */
  rows(caption) {
    return this.page.getByRole("table", { name: caption }).locator("tbody tr").evaluateAll((rows) =>
      rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim())),
    );
  }

  /** The facts of the page, by their names. */
  async facts(within = this.page.locator("main")) {
    const pairs = await within.locator(".facts > div").evaluateAll((entries) =>
      entries.map((entry) => [...entry.children].map((part) => part.innerText.trim())),
    );
    return Object.fromEntries(pairs);
  }

  /** A part of the page by its heading. */
  section(title) {
    return this.page.locator("section").filter({ has: this.page.getByRole("heading", { level: 2, name: title, exact: true }) });
  }

  /** Presses a button of the page, which opens a dialog. */
  async command(name) {
    const button = this.page.locator("main").getByRole("button", { name, exact: true });
    await this.page.locator(".page-heading button").first().waitFor();
    if (!(await button.isVisible())) await this.page.locator("details.menu > summary").click();
    await button.click();
    await this.dialog.waitFor();
  }

  /** Fills fields of the dialog by their labels and presses its button. */
  async answer(fields, button) {
    for (const [label, value] of Object.entries(fields)) await this.dialog.getByLabel(label).fill(value);
    await this.dialog.getByRole("button", { name: button, exact: true }).click();
  }

  /** A choice above a list, by its label, whose text goes on with the options, without a blank. */
  choice(label) {
    return this.page.locator("label.choice").filter({ hasText: new RegExp(`^${label}`) }).locator("select");
  }

  /** Waits for words on what has been done. */
  done(text) {
    return expect(this.notice).toContainText(text);
  }

  /** What this tab and this browser keep: entries of local storage, of session storage, cookies. */
  kept() {
    return this.page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]);
  }
}
