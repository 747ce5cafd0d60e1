/** Collections without a network: payments wait on the device, and each is recorded once, whatever ends in between. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { answerFromDisk } from "./support/disk.js";
import { Desk } from "./support/desk.js";
import { expect, test } from "./support/test.js";

test.use({ serverName: "offline" });

const PAYMENTS = 20;

const daysAgo = (count) => new Date(Date.now() - count * 86_400_000).toISOString().slice(0, 10);

/** Makes loans of the agent, each with an instalment overdue. Gives their ids. */
async function loans(client, count) {
  const ids = [];
  for (let number = 0; number < count; number += 1) {
    const made = await client.runningLoan(`${12_000 + number}`, 40);
    ids.push(made.id);
  }
  return ids;
}

/** A device: a browser with a profile that outlives it. */
async function startDevice(playwright, profile, baseURL) {
  const { launchOptions } = test.info().project.use;
  const context = await playwright.chromium.launchPersistentContext(profile, { ...launchOptions, baseURL, locale: "en-GB" });
  if (process.env.DESK_FROM_DISK) await context.route("**/desk/assets/**", answerFromDisk);
  const page = context.pages()[0];
  return { context, page, desk: new Desk(page) };
}

const states = async (desk) => (await desk.rows("Payments taken")).map((row) => row[4].split("\n")[0]);

/** Takes a payment of a row of the list. */
async function takeFirst(page, desk) {
  const button = page.locator("tbody tr").filter({ hasNot: page.locator("a.status") }).getByRole("button", { name: /^Take/ });
  await button.first().click();
  await desk.dialog.getByRole("button", { name: "Take", exact: true }).click();
  await expect(desk.heading).toHaveText("Receipt");
}

test("twenty payments taken without a network are each recorded once, though the browser is killed while it sends", async ({
  playwright,
  client,
  baseURL,
}) => {
  test.setTimeout(300_000);
  const ids = await loans(client, PAYMENTS);
  const profile = mkdtempSync(join(tmpdir(), "desk-"));
  const first = await startDevice(playwright, profile, baseURL);
  await first.desk.open("agent", "/desk/collections");
  await first.page.evaluate(() => navigator.serviceWorker.ready);
  await first.context.setOffline(true);
  await first.page.reload();
  await first.desk.settled();
  await expect(first.page.getByText("As kept on this device")).toBeVisible();
  for (let count = 0; count < PAYMENTS; count += 1) {
    await takeFirst(first.page, first.desk);
    await expect(first.page.getByText("Unconfirmed")).toBeVisible();
    await first.page.getByRole("link", { name: "Collections" }).first().click();
    await first.desk.settled();
  }
  await first.page.getByRole("link", { name: "Payments taken" }).click();
  await first.desk.settled();
  expect(await first.desk.rows("Payments taken")).toHaveLength(PAYMENTS);
  // The server records them, and the browser dies before it has the answer.
  const arrived = new Promise((resolve) => {
    first.context.route("**/api/repayments/batch", async (route) => {
      await route.fetch();
      resolve();
    });
  });
  await first.context.setOffline(false);
  await arrived;
  const browser = await first.context.newCDPSession(first.page);
  await browser.send("Browser.crash").catch(() => {});
  await first.context.close().catch(() => {});

  const second = await startDevice(playwright, profile, baseURL);
  await second.desk.open("agent", "/desk/queue");
  await expect.poll(() => states(second.desk)).toEqual(Array.from({ length: PAYMENTS }, () => "Recorded"));
  for (const id of ids) {
    const { data } = await client.get(`/api/loans/${id}/transactions`, "admin");
    expect(data.filter(({ kind }) => kind === "repayment")).toHaveLength(1);
  }
  await second.context.close();
});

test("a refused payment says why and stays; a log-out asks; another user sees nothing", async ({ playwright, client, baseURL }) => {
  test.setTimeout(300_000);
  const [id] = await loans(client, 1);
  const { context, page, desk } = await startDevice(playwright, mkdtempSync(join(tmpdir(), "desk-")), baseURL);
  await desk.open("agent", "/desk/collections");
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await context.setOffline(true);
  await page.locator(`tr:has(a[href="/desk/loans/${id}"])`).getByRole("button", { name: /^Take/ }).click();
  await desk.dialog.getByLabel("Amount in KES").fill("1.005");
  await desk.dialog.getByRole("button", { name: "Take", exact: true }).click();
  await expect(desk.dialog.locator(".error")).toHaveText("has more than the 2 decimals of KES");
  // Before the loan was paid out, which only the server can tell.
  await desk.dialog.getByLabel("Amount in KES").fill("100");
  await desk.dialog.getByLabel("Paid on").fill(daysAgo(100));
  await desk.dialog.getByRole("button", { name: "Take", exact: true }).click();
  await expect(page.getByText("Unconfirmed")).toBeVisible();
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(desk.dialog).toContainText("1 payment is not recorded");
  await desk.dialog.getByRole("button", { name: "Stay" }).click();

  await context.setOffline(false);
  await page.getByRole("link", { name: "Payments taken" }).click();
  await expect.poll(() => states(desk)).toEqual(["Refused"]);
  expect((await desk.rows("Payments taken"))[0][4].split("\n").length).toBeGreaterThan(1);

  await page.getByRole("button", { name: "Log out" }).click();
  await desk.dialog.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Username").waitFor();
  await client.registerAgent("agent.two", "Second of two").catch(() => {});
  const { data } = await client.get("/api/agents?status=pending", "admin");
  for (const agent of data) await client.done("POST", `/api/agents/${agent.id}/approve`, { as: "admin", body: {} });
  await desk.logIn("agent.two", "/desk/queue", "correct horse battery");
  await desk.settled();
  await expect(page.getByText("You have taken no payment on this device")).toBeVisible();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Username").waitFor();
  await desk.open("agent", "/desk/queue");
  expect(await states(desk)).toEqual(["Refused"]);
  await page.getByRole("button", { name: /^Remove/ }).click();
  await desk.dialog.getByRole("button", { name: "Remove" }).click();
  await desk.done("Removed: 100.00 KES");
  await expect(page.getByText("You have taken no payment on this device")).toBeVisible();
  await context.close();
});
