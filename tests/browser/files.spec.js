/** How the pages and their files are served: what their policy forbids, what browsers keep, and how much that is. */

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { isOperation, wordsOf } from "./support/contract.js";
import { Desk } from "./support/desk.js";
import { expect, test } from "./support/test.js";
import { thereAfter, watchFor } from "./support/time.js";

const DESK = new URL("../../functions/site/src/desk/", import.meta.url);
const LIBRARIES = new URL("vendor/", DESK);

/** The most bytes of the first page, and of each next one, compressed. The plot's library comes with the first plot. */
const FIRST_PAGE = 60 * 1024;
const NEXT_PAGE = 10 * 1024;

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types desk",
];

for (const at of ["/desk", "/desk/loans/some", "/docs"]) {
  test(`the policy of ${at} allows the page's own files alone`, async ({ request }) => {
    const headers = (await request.get(at)).headers();
    const policy = headers["content-security-policy"];
    expect(policy.split(/; */)).toEqual(expect.arrayContaining(POLICY));
    expect(policy).not.toContain("unsafe");
    expect(headers["referrer-policy"]).toBe("no-referrer");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });
}

/** The modules of a folder, each with its text. */
const modules = (folder) =>
  readdirSync(new URL(folder, DESK))
    .filter((name) => name.endsWith(".js"))
    .map((name) => [folder + name, readFileSync(new URL(folder + name, DESK), "utf8")]);

/** The worker has an address of its own, without a version. */
const isWorker = ([name]) => name === "./sw.js";

const OURS = [...modules("./"), ...modules("pages/"), ...modules("docs/")].filter((module) => !isWorker(module));

test("a file is kept for long in the version that the page names, and for no time in another", async ({ request }) => {
  const page = await (await request.get("/desk")).text();
  const [, version] = page.match(/\/desk\/assets\/([0-9a-f]+)\//);
  for (const [name] of OURS) {
    const path = name.replace("./", "");
    const kept = await request.get(`/desk/assets/${version}/${path}`);
    expect(kept.headers()["cache-control"], path).toContain("immutable");
    expect(kept.headers()["content-type"], path).toContain("text/javascript");
    expect((await request.get(`/desk/assets/0123456789abcdef/${path}`)).headers()["cache-control"], path).toBe("no-cache");
  }
  expect((await request.get(`/desk/assets/${version}/desk.html`)).status()).toBe(404);
});

test("the libraries are the published ones", () => {
  const sums = readFileSync(new URL("SHA256SUMS", LIBRARIES), "utf8").trim().split("\n");
  const others = new Set(["README.md", "SHA256SUMS"]);
  const names = readdirSync(LIBRARIES).filter((name) => !others.has(name));
  expect(sums.map((line) => line.split(/\s+/)[1]).sort()).toEqual(names.sort());
  for (const [sum, name] of sums.map((line) => line.split(/\s+/))) {
    expect(createHash("sha256").update(readFileSync(new URL(name, LIBRARIES))).digest("hex"), name).toBe(sum);
  }
});

test("every operation that a module names is one of openapi.json", () => {
  const named = OURS.flatMap(([, text]) => [...text.matchAll(/"((?:GET|POST|PUT|PATCH|DELETE) \/[^"]*)"/g)].map(([, name]) => name));
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((name) => !isOperation(name))).toEqual([]);
});

test("every text that a module names is there", async () => {
  const source = readFileSync(new URL("words.js", DESK), "utf8");
  const { t } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
  const missing = [];
  for (const [name, text] of OURS.filter(([path]) => !path.startsWith("docs/"))) {
    for (const [path] of text.matchAll(/\bt(\.[a-zA-Z_]\w*)+/g)) {
      let found = t;
      for (const step of path.split(".").slice(1)) {
        if (typeof found !== "object") break;
        found = found?.[step];
      }
      if (found === undefined) missing.push(`${name}: ${path}`);
    }
  }
  expect(missing).toEqual([]);
});

test("every word of the interface has one for people", async () => {
  const source = readFileSync(new URL("words.js", DESK), "utf8");
  const { t } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
  const groups = {
    LoanStatus: t.status,
    UserStatus: t.status,
    Role: t.roles,
    LoanAction: t.actions,
    TransactionKind: t.kinds,
    ContactField: t.person,
    InterestMethod: t.terms.interest_methods,
    Amortization: t.terms.amortizations,
    InterestPeriod: t.terms.interest_periods,
    InterestAccrual: t.terms.interest_accruals,
    DayCount: t.terms.day_counts,
    Rounding: t.terms.roundings,
    MonthEnd: t.terms.month_ends,
    Prepayment: t.terms.prepayments,
    CalendarRule: t.terms.calendarRules,
    AllocationPreset: t.terms.allocations,
    Bucket: t.terms.buckets,
    WeekDay: t.calendar.days,
  };
  for (const [name, words] of Object.entries(groups)) {
    for (const word of wordsOf(name)) expect(words[word], `${name}: ${word}`).toBeTruthy();
  }
});

/** Bytes of the desk's files as they are sent, page by page. */
test("the first page is small, and each next one smaller", async ({ page, server }) => {
  const bytes = [];
  page.on("response", async (response) => {
    const isOurs = response.url().startsWith(`${server.url}/desk`) && !response.url().includes("uPlot");
    if (isOurs) bytes.push(gzipSync(await response.body(), { level: 6 }).length);
  });
  const taken = () => bytes.splice(0).reduce((all, count) => all + count, 0);
  await page.goto("/desk");
  await page.getByLabel("Username").waitFor();
  const first = taken();
  expect(first, "bytes of the first page").toBeLessThan(FIRST_PAGE);
  const desk = new Desk(page);
  await desk.pass("admin");
  const sizes = { first, login: taken() };
  expect(sizes.login, "bytes of the page after the login").toBeLessThan(NEXT_PAGE);
  for (const name of ["Applications", "Agents", "Loans", "Collections", "Customers", "Portfolio", "Products", "Calendars", "Users", "Ledger", "Audit"]) {
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).click();
    await desk.settled();
    await page.waitForLoadState("networkidle");
    sizes[name] = taken();
    expect(sizes[name], `bytes of ${name}`).toBeLessThan(NEXT_PAGE);
  }
  test.info().annotations.push({ type: "bytes", description: JSON.stringify(sizes) });
});

/** How long a phone takes for `work`, in milliseconds: four times as long as the machine on which the limit was set. */
const PHONE = 9;

/** Gives the milliseconds of a fixed piece of work. */
function work() {
  const began = performance.now();
  const sums = new Map();
  for (let number = 0, sum = 0; number < 300_000; number += 1) {
    sums.set(number % 1000, sum);
    sum = (sum * 31 + number) % 1_000_003;
  }
  return performance.now() - began;
}

/**
 * Makes the browser a phone in a town: as slow whatever the machine is, and 1.6 Mbit/s. Gives how many times slower than
 * that it is for now, since other work of the machine cannot be taken off.
 */
async function makePhone(page) {
  const tried = async (count) => {
    const times = [];
    while (times.length < count) times.push(await page.evaluate(work));
    return times;
  };
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: Math.max(1, PHONE / Math.min(...(await tried(10)))) });
  const network = { offline: false, latency: 40, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 };
  await devtools.send("Network.emulateNetworkConditions", network);
  const now = (await tried(5)).reduce((all, time) => all + time) / 5;
  return Math.max(1, now / PHONE);
}

test("the first page can be used within a second on a phone", async ({ browser, baseURL }) => {
  const times = [];
  for (let round = 0; round < 12 && !times.some((time) => time < 1000); round += 1) {
    const context = await browser.newContext({ baseURL });
    const page = await context.newPage();
    const slowness = await makePhone(page);
    await watchFor(page, "[name=username]");
    await page.goto("/desk", { waitUntil: "commit" });
    await page.getByLabel("Username").waitFor();
    times.push((await thereAfter(page)) / slowness);
    await context.close();
  }
  expect(Math.min(...times), `milliseconds of ${times}`).toBeLessThan(1000);
});
