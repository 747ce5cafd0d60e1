/** The page of the document: it shows every operation of openapi.json, finds them, and tries them. */

import { readFileSync } from "node:fs";

import { PASSWORD } from "./support/client.js";
import { expectToFit, violations } from "./support/screens.js";
import { expect, test } from "./support/test.js";
import { thereAfter, watchFor } from "./support/time.js";

const DOCUMENT = JSON.parse(readFileSync(new URL("../../openapi.json", import.meta.url), "utf8"));

const METHODS = ["get", "put", "post", "delete", "patch", "head", "options"];

const described = Object.entries(DOCUMENT.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => method in item).map((method) => `${method.toUpperCase()} ${path}`),
);

/** The operations that are shown. */
const shown = (page) =>
  page.$$eval(".operation", (entries) =>
    entries.map((entry) => `${entry.querySelector(".method").textContent} ${entry.querySelector(".path").textContent}`),
  );

test("every operation is shown within two seconds, from the server's own document", async ({ page, baseURL, asked }) => {
  await watchFor(page, ".operation");
  await page.goto("/docs");
  await page.locator(".operation").first().waitFor();
  expect(await thereAfter(page), "milliseconds").toBeLessThan(2000);
  expect((await shown(page)).sort()).toEqual(described.sort());
  expect(asked).toContain(`${baseURL}/openapi.json`);
  await expectToFit(page, "docs");
});

test("every operation opens, and axe finds nothing in the first of each kind", async ({ page }) => {
  await page.goto("/docs");
  await page.locator(".operation").first().waitFor();
  for (const section of await page.locator("main section").all()) {
    await section.locator(".operation > summary").first().click();
  }
  await expect(page.locator(".try")).toHaveCount(await page.locator("main section").count());
  expect(await violations(page)).toEqual([]);
  await page.$$eval(".operation:not([open]) > summary", (summaries) => summaries.forEach((summary) => summary.click()));
  await expect(page.locator(".try")).toHaveCount(described.length);
});

test("the filter finds by path, method and word", async ({ page }) => {
  await page.goto("/docs");
  const filter = page.getByLabel("Filter");
  await filter.fill("post repayments");
  await expect(page.getByText(`2 of ${described.length} operations`)).toBeVisible();
  expect((await shown(page)).sort()).toEqual(["POST /api/loans/{id}/repayments", "POST /api/repayments/batch"]);
  await filter.fill("no such thing");
  await expect(page.getByText("No operation is like that.")).toBeVisible();
});

test("an address leads to an operation, and what it answers is shown", async ({ page }) => {
  await page.goto("/docs#get_profile");
  const operation = page.locator("#get_profile");
  const send = operation.getByRole("button", { name: "Send" });
  await send.click();
  await expect(operation.locator(".try .code")).toHaveText("401");
  await page.locator(".side summary", { hasText: "Log in" }).click();
  await page.getByLabel("Username").fill("agent");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.locator(".side")).toContainText("Logged in as agent");
  await send.click();
  await expect(operation.locator(".try .code")).toHaveText("200");
  await expect(operation.locator(".answer")).toContainText('"username": "agent"');
  // The tab remembers the token, and the desk has it too.
  await page.reload();
  await expect(page.locator(".side")).toContainText("Logged in as agent");
  await page.goto("/desk");
  await expect(page.getByRole("button", { name: "Log out" })).toBeVisible();
});

test("a body is sent as it stands there", async ({ page }) => {
  await page.goto("/docs#create_quote");
  const operation = page.locator("#create_quote");
  await operation.getByLabel("Body").fill('{"amount": "1200", "currency": "EUR", "terms": {"interest_rate_apr": "24", "instalments": 6}}');
  await operation.getByRole("button", { name: "Send" }).click();
  await expect(operation.locator(".answer")).toContainText('"instalment": "214.23"');
});
