/** The page of the documents: it shows every operation of openapi.json. */

import { readFileSync } from "node:fs";

import { expect, test } from "./support/test.js";

const DOCUMENT = JSON.parse(readFileSync(new URL("../../openapi.json", import.meta.url), "utf8"));

const METHODS = ["get", "put", "post", "delete", "patch", "head", "options"];

test.use({ serverOptions: ["--no-demo"] });

test("every operation is shown, from the server's own document", async ({ page, baseURL, asked }) => {
  await page.goto("/docs");
  const described = Object.entries(DOCUMENT.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  await expect(page.locator(".opblock-summary")).toHaveCount(described.length);
  const shown = await page.$$eval(".opblock-summary", (summaries) =>
    summaries.map((summary) => {
      const method = summary.querySelector(".opblock-summary-method").textContent.trim();
      return `${method} ${summary.querySelector("[data-path]").dataset.path}`;
    }),
  );
  expect(shown.sort()).toEqual(described.sort());
  expect(asked).toContain(`${baseURL}/openapi.json`);
});
