/** How the dashboard and its files are served: what its policy forbids, and what browsers keep. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { expect, test } from "./support/test.js";

const LIBRARY = new URL("../../functions/site/src/dashboard/uplot/", import.meta.url);

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

test("the page's policy allows its own files alone", async ({ request }) => {
  const headers = (await request.get("/dashboard")).headers();
  const policy = headers["content-security-policy"];
  expect(policy.split("; ")).toEqual(expect.arrayContaining(POLICY));
  expect(policy).not.toContain("unsafe");
  expect(headers["referrer-policy"]).toBe("no-referrer");
  expect(headers["x-content-type-options"]).toBe("nosniff");
});

test("a file is kept for long under the name that the page has for it, and for no time under another", async ({
  request,
}) => {
  const page = await (await request.get("/dashboard")).text();
  const open = [...page.matchAll(/"(\/dashboard\/[^"]+)"/g)].map(([, address]) => address);
  expect(open.length).toBeGreaterThan(3);
  const seen = new Set(open);
  while (open.length) {
    const address = open.pop();
    const kept = await request.get(address);
    expect(kept.headers()["cache-control"], address).toContain("immutable");
    expect((await request.get(address.split("?")[0])).headers()["cache-control"], address).toBe("no-cache");
    if (!kept.headers()["content-type"].startsWith("text/javascript")) continue;
    // What a module imports, it asks for in the same way.
    for (const [, name] of (await kept.text()).matchAll(/ from "\.\/([^"]+)"/g)) {
      const imported = `/dashboard/${name}`;
      if (!seen.has(imported)) open.push(imported);
      seen.add(imported);
    }
  }
  expect((await request.get("/dashboard/dashboard.html")).status()).toBe(404);
});

test("the library of the plot is the published one", () => {
  const sums = readFileSync(new URL("SHA256SUMS", LIBRARY), "utf8").trim().split("\n");
  expect(sums).toHaveLength(3);
  for (const [sum, name] of sums.map((line) => line.split(/\s+/))) {
    expect(createHash("sha256").update(readFileSync(new URL(name, LIBRARY))).digest("hex"), name).toBe(sum);
  }
});
