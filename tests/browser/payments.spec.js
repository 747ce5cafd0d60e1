/** Money that arrives: what finds no loan waits in sight, is applied or given back, and says so. */

import { Desk } from "./support/desk.js";
import { expectToFit } from "./support/screens.js";
import { expect, test } from "./support/test.js";

test.use({ serverName: "stories" });
test.describe.configure({ mode: "serial" });

/** The payment of the story, by its address, and the loan that it is for. */
let payment = "";
let loan;

test("an admin adds a source and enters a payment that nobody can place", async ({ page, client }) => {
  loan = await client.runningLoan("9000", 40);
  const desk = new Desk(page);
  await desk.open("admin", "/desk/payments");
  await page.getByRole("link", { name: "Sources" }).click();
  await desk.settled();
  await desk.command("New source");
  await desk.dialog.getByLabel("Kind").selectOption("manual");
  await desk.answer({ Code: "Not a code", Account: "market-stall", Currency: "KES" }, "Create");
  await expect(desk.dialog.locator(".field .error")).not.toHaveCount(0);
  await expectToFit(page, "source-new");
  await desk.answer({ Name: "Market stall", Code: "market-stall" }, "Create");
  await expect(desk.dialog).toContainText("Nobody has to be told anything");
  await desk.dialog.getByRole("button", { name: "Close" }).click();
  await expect(page.getByRole("link", { name: "Market stall" })).toBeVisible();

  await desk.go("/desk/payments");
  await desk.command("Enter a payment");
  await desk.dialog.getByLabel("Source").selectOption("market-stall");
  const paidOn = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  await desk.answer({ Receipt: "C-0001", Amount: "1500", Paid: paidOn, Reference: "for my sister" }, "Enter");
  await desk.done("Entered: 1,500.00 KES. Waiting.");
  await desk.settled();
  await expectToFit(page, "payments");
  await page.getByRole("row", { name: /C-0001/ }).getByRole("link").first().click();
  await desk.settled();
  payment = new URL(page.url()).pathname;
  await expect(page.getByText("Nothing speaks for a loan")).toBeVisible();
  await expectToFit(page, "payment");
});

test("it is applied in part to the loan that has the reference, and the rest is given back", async ({ page, client }) => {
  const desk = new Desk(page);
  await desk.open("admin", payment);
  await desk.command("Apply");
  await desk.answer({ "Payment reference": "1234567890", "Amount in KES": "1000" }, "Apply");
  await expect(desk.dialog.locator(".field .error")).toContainText("must have ten digits");
  await desk.answer({ "Payment reference": loan.pay_ref }, "Apply");
  await desk.done("Applied: 1,000.00 KES.");
  await expect(desk.trouble).toHaveCount(0);
  await expect.poll(async () => (await desk.facts()).Waiting).toBe("500.00 KES");
  expect((await desk.rows("Loans it paid"))[0].slice(1)).toEqual(["1,000.00 KES", "stands"]);

  await desk.go("/desk/payments");
  expect((await desk.rows("Partly applied")).some((cells) => cells.includes("C-0001"))).toBe(true);
  await desk.go(payment);
  await desk.command("Give back");
  await desk.answer({ Reason: "paid too much" }, "Give back");
  await desk.done("Given back: 500.00 KES.");
  await expect.poll(async () => (await desk.facts()).Waiting).toBe("0.00 KES");
  await expect(page.locator(".page-heading .status")).toHaveText("Applied");
  const now = await client.get(`/api/payments/${payment.split("/").at(-1)}`, "admin");
  expect([now.state, now.applied, now.returned]).toEqual(["applied", "1000.00", "500.00"]);
  await expectToFit(page, "payment-applied");
});

test("a provider's address and secret are shown once, and replaced", async ({ page }) => {
  const desk = new Desk(page);
  await desk.open("admin", "/desk/sources");
  await desk.command("New source");
  await desk.dialog.getByLabel("Kind").selectOption("json");
  await desk.answer({ Name: "Wallet", Code: "wallet", Account: "wallet-7", Currency: "KES" }, "Create");
  await expect(desk.dialog).toContainText("shown this once");
  const made = await desk.facts(desk.dialog);
  expect(made["Secret for signing"]).toMatch(/^whsec_/);
  await expectToFit(page, "source-secrets");
  await desk.dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("link", { name: "Wallet" }).click();
  await desk.settled();
  await desk.command("Edit");
  await desk.answer({ "Addresses of the provider": "nowhere" }, "Edit");
  await expect(desk.dialog.locator(".error, .trouble")).not.toHaveCount(0);
  await desk.answer({ "Addresses of the provider": "203.0.113.0/24" }, "Edit");
  await desk.done("Saved: Wallet.");
  await expect.poll(async () => (await desk.facts())["Addresses of the provider"]).toBe("203.0.113.0/24");
  await desk.command("New address");
  await desk.dialog.getByRole("button", { name: "New address" }).click();
  await expect(desk.dialog).toContainText("shown this once");
  expect((await desk.facts(desk.dialog))["Address for the provider"]).not.toBe(made["Address for the provider"]);
});
