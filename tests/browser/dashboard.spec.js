/** The dashboard on the server's own book: it shows what the interface answers, and what it does takes effect. */

import { MARKUP } from "./support/book.js";
import { PASSWORD } from "./support/client.js";
import { Dashboard, expectFigures, grouped } from "./support/dashboard.js";
import { expectToFit } from "./support/screens.js";
import { expect, test } from "./support/test.js";

// What is decided here others would see, and each test goes on where the one before has ended.
test.use({ serverName: "dashboard" });
test.describe.configure({ mode: "serial" });

const LOANS = [
  { borrower_id: "usr_vietnam_004", amount: "8400", currency: "VND", product: "microloan-vnd" },
  { borrower_id: "usr_india_002", amount: "1234567.50", currency: "INR", product: "personal" },
];

/** The first loan of a borrower. */
async function loanOf(client, borrower) {
  const { data } = await client.get("/api/loans?sort=created_at", "admin");
  return data.find(({ borrower_username: username }) => username === borrower);
}

const version = (loan) => ({ "If-Match": `"${loan.version}"` });

test.beforeAll(async ({ client }) => {
  await client.registerAgent("agent.one", MARKUP);
  await client.registerAgent("agent.two", "Second of two");
  for (const body of LOANS) await client.done("POST", "/api/loans", { as: "agent", body });
});

test("a wrong password and a customer do not get in", async ({ page }) => {
  const dashboard = new Dashboard(page);
  await dashboard.logIn("admin", "not the password");
  await expect(dashboard.loginMessage).toContainText("password is wrong");
  await expect(page.locator("#password")).toHaveValue("");
  await expectToFit(page, "login");
  await dashboard.logIn("customer");
  await expect(dashboard.loginMessage).toContainText("for staff");
  await expect(page.locator("#dashboard")).toHaveCount(0);
});

test("the figures are those of the interface", async ({ page, client }) => {
  const dashboard = new Dashboard(page);
  await dashboard.open("admin");
  expect(await dashboard.messages()).toEqual([]);
  await expectFigures(dashboard, await client.get("/api/stats", "admin"));
  await expectToFit(page, "own");
});

test("the lists are those of the interface", async ({ page, client }) => {
  const dashboard = new Dashboard(page);
  await dashboard.open("admin");
  await page.click("#tab-VND");
  const history = await client.get("/api/stats/history", "admin");
  const days = history.data.filter((day) => "VND" in day.by_currency).map((day) => day.as_of);
  const firstCells = (rows) => rows.map((row) => row.cells[0].textContent);
  expect(await page.$$eval("#history tbody tr", firstCells)).toEqual(days);

  const arrears = await client.get("/api/portfolio/arrears", "admin");
  const inDong = arrears.filter((group) => group.currency === "VND" && /[1-9]/.test(group.outstanding));
  const words = ({ outstanding, loans }) => `${grouped(outstanding)}\n${loans} loan${loans === 1 ? "" : "s"}`;
  const shown = await dashboard.rows("#arrears");
  expect(shown.map((row) => row.slice(0, 2))).toEqual(inDong.map((group) => ["VND", words(group)]));

  // The history ends with today's figures as they are, not as they were kept when the server started.
  await page.click("#tab-INR");
  const statistics = await client.get("/api/stats", "admin");
  const { loans, disbursed, repaid, outstanding, past_due } = statistics.by_currency.INR;
  const today = [statistics.as_of, ...[loans, disbursed, repaid, outstanding, past_due].map(grouped)];
  const cells = (row) => [...row.cells].map((cell) => cell.textContent);
  expect(await page.$eval("#history tbody tr", cells)).toEqual(today);

  const collections = await client.get("/api/collections", "admin");
  const ids = collections.data.slice(0, 10).map((item) => item.loan_id);
  expect((await dashboard.rows("#collections")).map((row) => row.at(-1))).toEqual(ids);
});

test("a reload goes on with the tab's session, on the lender's clock", async ({ page, client }) => {
  const dashboard = new Dashboard(page);
  await dashboard.open("admin");
  await page.reload();
  await page.locator("#dashboard").waitFor();
  await dashboard.loaded();
  expect(await dashboard.kept()).toEqual([0, 1, ""]);
  const { data } = await client.get("/api/loans?status=pending&sort=created_at", "admin");
  // To the minute, in the zone that the server was started with, which has no summer time.
  const created = new Date(Date.parse(data[0].created_at) + 330 * 60_000).toISOString();
  const [loan] = await dashboard.rows("#loans");
  expect(loan[4]).toBe(`${created.slice(0, 10)} ${created.slice(11, 16)} GMT+5:30`);
});

test("a loan that was changed in the meantime is shown as it is before it is approved", async ({ page, client }) => {
  const dashboard = new Dashboard(page);
  await dashboard.open("admin");
  const stale = await loanOf(client, "usr_kenya_001");
  const change = { as: "agent", body: { amount: "13000.00" }, headers: version(stale) };
  await client.done("PATCH", `/api/loans/${stale.id}`, change);
  await dashboard.decide("Approve", "usr_kenya_001");
  await dashboard.confirm.click();
  await expect(dashboard.notice).toContainText("changed in the meantime");
  expect((await loanOf(client, "usr_kenya_001")).status).toBe("pending");
  await expectToFit(page, "changed");
  const rows = (await dashboard.rows("#loans")).filter(([borrower]) => borrower === "usr_kenya_001");
  expect(rows).toHaveLength(1);
  expect(rows[0][1]).toMatch(/^13,000\.00 KES/);

  await dashboard.decide("Approve", "usr_kenya_001");
  await dashboard.confirm.click();
  await expect(dashboard.notice).toHaveText(/^Approved: 13,000\.00 KES/);
  expect((await loanOf(client, "usr_kenya_001")).status).toBe("approved");
  expect((await dashboard.rows("#loans")).map(([borrower]) => borrower)).not.toContain("usr_kenya_001");
  // The focus is on the row that follows.
  expect(await dashboard.focused()).toMatch(/^Approve usr_vietnam_004/);
});

test("a loan that another admin has approved cannot be rejected", async ({ page, client }) => {
  const dashboard = new Dashboard(page);
  await dashboard.open("admin");
  const { data } = await client.get("/api/loans?status=pending&currency=VND", "admin");
  expect(data).toHaveLength(1);
  await client.done("POST", `/api/loans/${data[0].id}/approve`, { as: "admin", body: {}, headers: version(data[0]) });
  await dashboard.decide("Reject", "usr_vietnam_004");
  await dashboard.reason.fill("too late");
  await dashboard.confirm.click();
  await expect(dashboard.notice).toContainText("is approved by now");
  expect(await dashboard.focused()).toMatch(/^Approve usr_india_002/);
});

test("to reject needs a reason, and does not look like to approve", async ({ page, client }) => {
  const dashboard = new Dashboard(page);
  await dashboard.open("admin");
  const colour = () => dashboard.confirm.evaluate((button) => getComputedStyle(button).backgroundColor);
  await dashboard.decide("Approve", "usr_india_002");
  const approving = await colour();
  await page.keyboard.press("Escape");
  await dashboard.decide("Reject", "usr_india_002");
  expect(await colour()).not.toBe(approving);
  await dashboard.confirm.click();
  await expect(page.locator("#decision-reason:invalid")).toHaveCount(1);
  await page.keyboard.press("Escape");
  await expect(dashboard.dialog).toBeHidden();
  await dashboard.decide("Reject", "usr_india_002");
  await dashboard.reason.fill("income <b>too low</b>");
  await expectToFit(page, "dialog");
  await dashboard.confirm.click();
  await expect(dashboard.notice).toHaveText(/^Rejected/);
  const { data } = await client.get("/api/loans?status=rejected&currency=INR", "admin");
  expect(data.map((loan) => loan.decision_reason)).toEqual(["income <b>too low</b>"]);
  await page.locator("#loans .empty:not([hidden])").waitFor();
  await dashboard.loaded();
  expect((await dashboard.figures("#statuses")).pending).toBe("0");
  expect(await dashboard.focused()).toBe("loans-title");
});

test("agents are approved and rejected", async ({ page, client }) => {
  const dashboard = new Dashboard(page);
  await dashboard.open("admin");
  const names = (await dashboard.rows("#agents")).map(([name]) => name);
  expect(names.sort()).toEqual([MARKUP, "Second of two"].sort());
  await dashboard.decide("Approve", "Second of two");
  await dashboard.confirm.click();
  await expect(dashboard.notice).toHaveText(/^Approved: Second of two/);
  await page.click("#agents tbody button:last-of-type");
  await dashboard.dialog.waitFor();
  await dashboard.reason.fill("unknown");
  await dashboard.confirm.click();
  await expect(dashboard.notice).toHaveText(/^Rejected/);
  const { data } = await client.get("/api/agents", "admin");
  const statuses = Object.fromEntries(data.map(({ username, status }) => [username, status]));
  expect(statuses).toMatchObject({ "agent.one": "rejected", "agent.two": "active" });
});

test("logging out ends the session at the interface", async ({ page, client }) => {
  const dashboard = new Dashboard(page);
  await dashboard.open("admin");
  const refreshed = page.waitForRequest((request) => request.url().endsWith("/api/stats"));
  await page.click("#refresh");
  const token = (await refreshed).headers().authorization.replace("Bearer ", "");
  await dashboard.loaded();
  const ended = page.waitForResponse((response) => response.url().endsWith("/api/auth/logout"));
  await page.click("#logout");
  await expect(dashboard.loginMessage).toHaveText("You have logged out.");
  await expect(page.locator("#dashboard")).toHaveCount(0);
  await ended;
  expect((await client.call("GET", "/api/auth/me", { token })).status).toBe(401);
});

test("an agent sees its own work, until its session is over", async ({ page, client }) => {
  const dashboard = new Dashboard(page);
  await dashboard.open("agent");
  await expectToFit(page, "agent");
  for (const part of await page.locator("[data-admin]").all()) await expect(part).toBeHidden();
  await expect(page.locator("#collections")).toBeVisible();
  const { data } = await client.get("/api/users?q=agent", "admin");
  const me = data.find(({ username }) => username === "agent");
  await client.done("POST", `/api/users/${me.id}/suspend`, { as: "admin" });
  await page.click("#refresh");
  await expect(dashboard.loginMessage).toContainText("session has ended");
  await page.fill("#password", PASSWORD);
  await page.press("#password", "Enter");
  await expect(dashboard.loginMessage).toContainText("suspended");
  expect(await dashboard.kept()).toEqual([0, 0, ""]);
});
