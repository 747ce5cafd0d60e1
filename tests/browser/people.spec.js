/** People: an agent enrols a customer at the door, an admin looks at the papers, the customer sets a password. */

import { MARKUP } from "./support/book.js";
import { Desk } from "./support/desk.js";
import { expectToFit } from "./support/screens.js";
import { expect, test } from "./support/test.js";

test.use({ serverName: "stories" });
test.describe.configure({ mode: "serial" });

const PASSWORD = "correct horse battery";

/** The customer of the story, by their address, their username and their code. */
let customer = "";
let username = "";
let code = "";

const leave = async (page) => {
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Username").waitFor();
};

test("an agent enrols a customer with all that is known at the door", async ({ page }) => {
  const desk = new Desk(page);
  await desk.open("agent", "/desk/customers");
  await page.getByRole("link", { name: "Enrol a customer" }).click();
  await desk.settled();
  await page.getByRole("button", { name: "Enrol", exact: true }).click();
  await expect(desk.trouble).toBeVisible();
  await page.getByLabel("Full name").first().fill(MARKUP);
  await page.getByLabel("Phone").first().fill("12");
  await page.locator("summary", { hasText: "Profile" }).click();
  await page.getByLabel("Date of birth").fill("1990-02-03");
  await page.getByLabel("Country", { exact: true }).first().fill("KE");
  await page.getByLabel("Document").fill("national_id");
  await page.getByLabel("Number").fill("27 345-678");
  await page.getByLabel("City").fill("Kisumu");
  await page.getByRole("button", { name: "Enrol", exact: true }).click();
  await expect(page.locator(".field .error")).toHaveCount(1);
  await expect(page.getByLabel("Phone").first()).toBeFocused();
  await expectToFit(page, "enrol");
  await page.getByLabel("Phone").first().fill("+254711000222");
  await page.getByRole("button", { name: "Enrol", exact: true }).click();
  await desk.done(`Enrolled: ${MARKUP}.`);
  await desk.settled();
  customer = new URL(page.url()).pathname;
  const facts = await desk.facts();
  username = facts.Username;
  expect(username).toMatch(/^c\d{9}$/);
  expect(facts["Identity document"]).toMatch(/^national_id \*+5678, KE$/);
  expect(facts.Address).toBe("Kisumu");
  expect(facts.Identity).toContain("Not verified");
  await expectToFit(page, "customer-enrolled");
});

test("a profile is edited, and the mask sent back changes no identity", async ({ page, client }) => {
  const desk = new Desk(page);
  await desk.open("agent", customer);
  await desk.section("Profile").getByRole("button", { name: "Edit the profile" }).click();
  await desk.dialog.waitFor();
  await expectToFit(page, "profile-edit");
  await desk.answer({ Occupation: "Potter" }, "Save");
  await desk.done("Saved: the profile of");
  await expect(desk.section("Profile")).toContainText("Potter");
  const profile = await client.get(`/api/customers/${customer.split("/").at(-1)}/profile`, "admin");
  expect(profile.national_id).toEqual({ country: "KE", kind: "national_id", number: "27345678" });
});

test("an admin verifies the identity", async ({ page }) => {
  const desk = new Desk(page);
  await desk.open("admin", customer);
  await desk.command("Verify");
  await desk.answer({ Reason: "saw the card" }, "Verify");
  await desk.done("Recorded: the identity of");
  await expect.poll(async () => (await desk.facts()).Identity).toContain("Verified");
  await desk.go("/desk/customers?kyc=verified");
  await expect(page.getByRole("link", { name: MARKUP })).toBeVisible();
});

test("the customer's agent hands out a code, and the customer sets a password", async ({ page }) => {
  const desk = new Desk(page);
  await desk.open("agent", customer);
  await desk.command("Code for a password");
  await desk.dialog.getByRole("button", { name: "Make the code" }).click();
  await expect(desk.dialog).toContainText("shown this once");
  code = (await desk.facts(desk.dialog)).Code;
  expect(code).toMatch(/^\d{10}$/);
  await desk.dialog.getByRole("button", { name: "Close" }).click();
  await leave(page);

  await page.getByRole("link", { name: "Set a password" }).click();
  const give = async (text) => {
    await page.getByLabel("Username").fill(username);
    await page.getByLabel("Code").fill(text);
    await page.getByLabel("New password").fill(PASSWORD);
    await page.getByRole("button", { name: "Set the password" }).click();
  };
  await give("0000000000");
  await expect(desk.trouble).toBeVisible();
  await expectToFit(page, "activate");
  await give(`${code.slice(0, 5)} ${code.slice(5)}`);
  await expect(desk.heading).toHaveText("Your password is set");
  await page.getByRole("link", { name: "Log in" }).click();
  await desk.giveLogin(username, PASSWORD);
  await expect(desk.heading).toHaveText("My loans");
});

test("a customer is taken from their agent, and given to one", async ({ page }) => {
  const desk = new Desk(page);
  await desk.open("admin", customer);
  await desk.command("Assign");
  await desk.dialog.getByLabel("Agent").selectOption("");
  await desk.answer({}, "Assign");
  await desk.done("Assigned:");
  await expect.poll(async () => (await desk.facts()).Agent).toBe("–");
  await desk.command("Assign");
  await desk.dialog.getByLabel("Agent").selectOption({ index: 1 });
  await desk.answer({}, "Assign");
  await expect.poll(async () => (await desk.facts()).Agent).not.toBe("–");
});
