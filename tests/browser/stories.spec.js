/** The whole story by clicks: a customer registers and applies, an agent helps, an admin decides, pays out, takes back. */

import { MARKUP } from "./support/book.js";
import { Desk, grouped } from "./support/desk.js";
import { expectToFit } from "./support/screens.js";
import { expect, test } from "./support/test.js";

// What is done here others would see, and each test goes on where the one before has ended.
test.use({ serverName: "stories" });
test.describe.configure({ mode: "serial" });

const PASSWORD = "correct horse battery";

/** The loan of the story, by its address. */
let loan = "";

const fill = async (scope, fields) => {
  for (const [label, value] of Object.entries(fields)) await scope.getByLabel(label).fill(value);
};

test("a wrong password does not get in, and what was typed stays", async ({ page }) => {
  const desk = new Desk(page);
  await desk.logIn("admin", "/desk", "not the password");
  await expect(desk.trouble).toContainText("password is wrong");
  await expect(page.getByLabel("Username")).toHaveValue("admin");
  await expect(page.getByLabel("Password")).toHaveValue("");
  await expectToFit(page, "login");
});

test("a customer registers with all errors at once, and applies", async ({ page }) => {
  const desk = new Desk(page);
  await page.goto("/desk");
  await page.getByRole("link", { name: "Register" }).click();
  await fill(page, { Username: "asha.patel", "E-mail": "no mail", Phone: "12", Password: "short" });
  await page.getByRole("button", { name: "Register" }).click();
  await expect(page.locator(".field .error")).toHaveCount(3);
  await expect(page.getByLabel("E-mail")).toBeFocused();
  await expectToFit(page, "register");
  await fill(page, { "Full name": MARKUP, "E-mail": "asha@example.com", Phone: "+919812345678", Password: PASSWORD });
  await page.getByRole("button", { name: "Register" }).click();
  await expect(desk.heading).toHaveText("My loans");
  await desk.settled();
  await expectToFit(page, "customer-empty");

  await page.getByRole("link", { name: "Look at the products" }).click();
  await desk.settled();
  await page.getByRole("link", { name: "Personal loan" }).click();
  await desk.settled();
  await fill(page, { "Amount in INR": "50000", Instalments: "6" });
  await expect(page.locator(".quote")).toContainText("APR");
  await expectToFit(page, "calculator");
  await page.getByRole("link", { name: "Apply with these" }).click();
  await desk.settled();
  await expect(page.getByLabel("Amount in INR")).toHaveValue("50000");
  await page.getByLabel("Amount in INR").fill("0.001");
  await page.getByRole("button", { name: "Send the application" }).click();
  await expect(page.locator(".field .error")).not.toHaveCount(0);
  await page.getByLabel("Amount in INR").fill("50000");
  await page.getByRole("button", { name: "Send the application" }).click();
  await desk.done("The application for 50,000.00 INR is sent.");
  await expect(desk.heading).toHaveText("50,000.00 INR for asha.patel");
  await desk.settled();
  loan = new URL(page.url()).pathname;
  await expectToFit(page, "customer-loan");
});

test("an agent registers and waits until an admin approves", async ({ page }) => {
  const desk = new Desk(page);
  await page.goto("/desk/register");
  await page.getByLabel("I want to").selectOption("agent");
  await fill(page, { "Full name": "Ravi Rao", Username: "ravi.rao", "E-mail": "ravi@example.com", Phone: "+919812345679", Password: PASSWORD });
  await page.getByRole("button", { name: "Register" }).click();
  await expect(page.getByText("waits for an admin's approval")).toBeVisible();
  await page.getByRole("link", { name: "Log in" }).click();
  await fill(page, { Username: "ravi.rao", Password: PASSWORD });
  await page.keyboard.press("Enter");
  await expect(desk.trouble).toContainText("not approved");

  await fill(page, { Username: "admin", Password: "microloans-demo" });
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "1 agent approval" }).click();
  await desk.settled();
  await page.getByRole("button", { name: "Approve Ravi Rao" }).click();
  await expectToFit(page, "dialog");
  await desk.answer({}, "Approve");
  await desk.done("Approved: Ravi Rao (ravi.rao).");
  await expect(page.getByText("No agent waits for approval.")).toBeVisible();
});

test("the agent edits the application and forwards it", async ({ page }) => {
  const desk = new Desk(page);
  await desk.logIn("ravi.rao", loan, PASSWORD);
  await desk.settled();
  await desk.command("Forward");
  await desk.answer({ Note: "visited at home" }, "Forward");
  await desk.done("Forwarded");
  await desk.command("Edit");
  await desk.answer({ "Amount in INR": "40000.555" }, "Save");
  await expect(desk.dialog.locator(".error")).toHaveCount(1);
  await expect(desk.dialog.getByLabel("Amount in INR")).toBeFocused();
  await desk.answer({ "Amount in INR": "40000" }, "Save");
  await desk.done("Saved: 40,000.00 INR");
  await page.getByRole("link", { name: "History" }).click();
  await desk.settled();
  const steps = (await desk.rows("History")).map((row) => row[1].split("\n")[0]);
  expect(steps.sort()).toEqual(["Applied", "Edited", "Forwarded"]);
  await expectToFit(page, "history");
});

test("an admin sees who asks and what it costs, approves, and pays out", async ({ page, client }) => {
  const desk = new Desk(page);
  await desk.open("admin");
  await expectToFit(page, "admin-home");
  await page.getByRole("link", { name: "Decide on the application of asha.patel" }).click();
  await desk.settled();
  const facts = await desk.facts(page.locator(".raised"));
  expect(facts).toMatchObject({ Phone: "+919812345678", Amount: "40,000.00 INR", "Rate a year": "10.75 %" });
  expect(Number.parseFloat(facts["APR (effective)"])).toBeGreaterThan(10);
  await expect(page.getByText("This would be the first loan.")).toBeVisible();
  await expectToFit(page, "decision");

  // Somebody changes it in the meantime: nothing is approved that the admin has not seen.
  await desk.command("Approve");
  const id = loan.split("/").at(-1);
  const { version } = await client.get(`/api/loans/${id}`, "admin");
  const headers = { "If-Match": `"${version}"` };
  await client.done("PATCH", `/api/loans/${id}`, { as: "agent", body: { amount: "41000" }, headers });
  await desk.answer({}, "Approve");
  await expect(desk.dialog.locator(".trouble")).toBeVisible();
  expect((await client.get(`/api/loans/${id}`, "admin")).status).toBe("pending");
  await page.keyboard.press("Escape");
  await page.reload();
  await desk.settled();
  await expect(desk.heading).toHaveText("41,000.00 INR for asha.patel");
  await desk.command("Approve");
  await desk.answer({}, "Approve");
  await desk.done("Approved: 41,000.00 INR for asha.patel.");

  await desk.command("Pay out");
  await expectToFit(page, "pay-out");
  await desk.answer({ Reference: "transfer 1" }, "Pay out");
  await desk.done("Paid out");
  await expect(page.locator(".page-heading .status")).toHaveText("Running");
});

test("the agent takes a payment and has a receipt", async ({ page, client }) => {
  const desk = new Desk(page);
  await desk.logIn("ravi.rao", loan, PASSWORD);
  await desk.settled();
  await desk.command("Take a payment");
  await desk.dialog.getByRole("button", { name: /^Next/ }).click();
  const amount = await desk.dialog.getByLabel("Amount in INR").inputValue();
  await desk.answer({ "Channel": "cash" }, "Record the payment");
  await expect(desk.heading).toHaveText("Receipt");
  await desk.settled();
  const facts = await desk.facts(page.locator(".receipt"));
  await expect(page.locator(".receipt .total")).toHaveText(`${grouped(amount)} INR`);
  expect(facts.Channel).toBe("cash");
  const id = loan.split("/").at(-1);
  const { data } = await client.get(`/api/loans/${id}/transactions`, "admin");
  expect(data.map(({ kind }) => kind).sort()).toEqual(["disbursement", "repayment"]);
  expect(facts["Receipt number"]).toBe(data.find(({ kind }) => kind === "repayment").id);
  await expectToFit(page, "receipt");
});

test("an admin charges, waives, reverses, reschedules, and sees the loan as of another day", async ({ page, client }) => {
  const desk = new Desk(page);
  await desk.open("admin", loan);
  await desk.command("Charge");
  await desk.answer({ Code: "visit", "Amount in INR": "250" }, "Charge");
  await desk.done("Charged: 250.00 INR.");
  await desk.command("Waive");
  await desk.dialog.getByLabel("What").selectOption("fee");
  await desk.answer({ "Amount in INR": "250", Reason: "by mistake" }, "Waive");
  await desk.done("Waived: 250.00 INR.");
  await desk.command("Waive");
  await desk.answer({}, "Waive");
  await expect(desk.dialog.locator(".error")).toHaveCount(2);
  await page.keyboard.press("Escape");
  await desk.command("Reschedule");
  await desk.answer({ Instalments: "9", Reason: "less income" }, "Reschedule");
  await desk.done("Rescheduled");
  await page.getByRole("link", { name: "Schedule" }).click();
  await desk.settled();
  await expectToFit(page, "schedule");
  await page.getByRole("link", { name: "Transactions" }).click();
  await desk.settled();
  const kinds = async () => (await desk.rows("Transactions")).map((row) => row[1].split("\n")[0].trim());
  expect(await kinds()).toContain("Rescheduling");
  await expectToFit(page, "transactions");
  await page.getByRole("button", { name: /^Reverse/ }).first().click();
  await desk.answer({ Reason: "not agreed" }, "Reverse");
  await desk.done("Reversed:");
  await desk.settled();
  expect(await kinds()).toContain("Reversal");
  for (const [tab, name] of [["Ledger", "ledger"], ["Statement", "statement"], ["History", "history-admin"]]) {
    await page.getByRole("navigation", { name: "Parts of the loan" }).getByRole("link", { name: tab }).click();
    await desk.settled();
    await expectToFit(page, name);
  }
  await page.getByText("As of another day").click();
  const id = loan.split("/").at(-1);
  const { created_at } = await client.get(`/api/loans/${id}`, "admin");
  await page.getByLabel("As of", { exact: true }).fill("2200-01-01");
  await desk.settled();
  expect(new URL(page.url()).searchParams.get("as_of")).toBe("2200-01-01");
  expect(created_at).toBeTruthy();
  await expect(page.getByRole("button", { name: "More" })).toHaveCount(0);
});

test("what is typed outlives the session, which goes on after another login", async ({ page, client }) => {
  const desk = new Desk(page);
  await desk.open("admin", loan);
  const token = await page.evaluate(() => JSON.parse(sessionStorage.getItem("microloans-session")).token);
  await desk.command("Write off");
  await fill(desk.dialog, { Reason: "moved away" });
  await client.done("POST", "/api/auth/logout", { token });
  await desk.dialog.getByRole("button", { name: "Write off" }).click();
  const again = page.getByRole("dialog", { name: "Your session has ended" });
  await expect(again).toBeVisible();
  await expectToFit(page, "ended");
  await again.getByLabel("Password").fill("microloans-demo");
  await page.keyboard.press("Enter");
  await desk.done("Written off");
  await expect(page.locator(".page-heading .status")).toHaveText("Written off");
});

test("the customer sees the loan, and staff's pages are not there", async ({ page }) => {
  const desk = new Desk(page);
  await desk.logIn("asha.patel", "/desk", PASSWORD);
  await desk.settled();
  await page.getByRole("link", { name: "41,000.00 INR" }).click();
  await desk.settled();
  await expect(page.getByText("Payment reference")).toBeVisible();
  await expect(page.getByRole("link", { name: "Ledger" })).toHaveCount(0);
  await desk.go("/desk/users");
  await expect(desk.heading).toHaveText("No such page");
  await desk.go("/desk/loans/01957d3a-7c4e-7a10-9d2b-000000000000");
  await expect(desk.trouble).toBeVisible();
});

test("logging out ends the session at the interface, and a closed tab forgets it", async ({ page, client }) => {
  const desk = new Desk(page);
  await desk.open("admin");
  const token = await page.evaluate(() => JSON.parse(sessionStorage.getItem("microloans-session")).token);
  const ended = page.waitForResponse((response) => response.url().endsWith("/api/auth/logout"));
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Username").waitFor();
  await ended;
  expect((await client.call("GET", "/api/auth/me", { token })).status).toBe(401);
  expect((await desk.kept()).slice(1)).toEqual([0, ""]);
});
