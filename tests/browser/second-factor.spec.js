/** The second factor by clicks: set up, asked for, removed by its user and by an admin. */

import { createHmac } from "node:crypto";

import { Desk } from "./support/desk.js";
import { expectToFit } from "./support/screens.js";
import { expect, test } from "./support/test.js";

test.use({ serverName: "second-factor" });
test.describe.configure({ mode: "serial" });

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The code that an authenticator shows now: RFC 6238. */
function codeOf(secret) {
  const bits = [...secret].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", key).update(step).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** The recovery codes that are left. */
let codes = [];

const LABEL = "Code of your authenticator";

test("a user sets a second factor up, and writes recovery codes down", async ({ page }) => {
  const desk = new Desk(page);
  await desk.open("agent", "/desk/profile");
  await page.getByRole("button", { name: "Set it up" }).click();
  const secret = (await page.locator("dd code").innerText()).replaceAll(" ", "");
  await expectToFit(page, "second-factor");
  await page.getByLabel(LABEL).fill("not a code");
  await page.keyboard.press("Enter");
  await expect(desk.trouble).toContainText("wrong");
  await page.getByLabel(LABEL).fill(codeOf(secret));
  await page.keyboard.press("Enter");
  await expect(page.locator("li code")).toHaveCount(10);
  codes = await page.locator("li code").allInnerTexts();
  await page.getByRole("button", { name: "I have written them down" }).click();
  await expect(page.getByText("You have logged in with one since")).toBeVisible();
});

test("it is asked for once the password is right, and a wrong code is typed again", async ({ page }) => {
  const desk = new Desk(page);
  await desk.logIn("agent", "/desk", "not the password");
  await expect(desk.trouble).toBeVisible();
  await expect(page.getByLabel(LABEL)).toHaveCount(0);
  await desk.giveLogin("agent", "microloans-demo");
  await expect(page.getByLabel(LABEL)).toBeFocused();
  await page.keyboard.type("000 000 000");
  await page.keyboard.press("Enter");
  await expect(desk.trouble).toContainText("wrong");
  await expect(page.getByLabel("Password")).not.toHaveValue("");
  await expect(page.getByLabel(LABEL)).toHaveValue("");
  await page.getByLabel(LABEL).fill(codes.pop());
  await page.keyboard.press("Enter");
  await desk.settled();

  await desk.go("/desk/profile");
  await page.getByLabel("Current password").fill("microloans-demo");
  await page.getByLabel("New password").fill("correct horse battery");
  await page.getByRole("button", { name: "Change the password" }).click();
  await page.getByLabel(LABEL).fill(codes.pop());
  await page.keyboard.press("Enter");
  await desk.done("Your password is changed");
  await page.getByRole("button", { name: "Remove it" }).click();
  await page.getByRole("button", { name: "Cancel" }).last().click();
  await expect(page.getByRole("button", { name: "Remove it" })).toBeVisible();
});

test("an admin removes it for who has lost it", async ({ page, client }) => {
  const desk = new Desk(page);
  const { data } = await client.get("/api/agents?q=agent", "admin");
  const { id } = data.find(({ username }) => username === "agent");
  await desk.open("admin", `/desk/agents/${id}`);
  await desk.command("Remove the second factor");
  await desk.dialog.getByRole("button", { name: "Remove the second factor" }).click();
  await desk.done("has no second factor");
  await client.done("POST", "/api/auth/login", { body: { username: "agent", password: "correct horse battery" } });
});
