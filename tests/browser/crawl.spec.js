/** Every link of every page, as each role: it leads somewhere, and axe finds nothing there. */

import { Desk } from "./support/desk.js";
import { violations } from "./support/screens.js";
import { expect, test } from "./support/test.js";

test.use({ serverName: "stories" });

/** How many pages are looked at: those of one kind are alike. */
const OF_ONE_KIND = 3;

/** The kind of a page: its address without ids and queries. */
const kindOf = (path) => path.split("?")[0].replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "{id}");

for (const role of ["admin", "agent", "customer", "usr_vietnam_004"]) {
  test(`every link leads somewhere for ${role}`, async ({ page }) => {
    test.setTimeout(300_000);
    const refused = [];
    page.on("response", (response) => {
      if (response.status() >= 400) refused.push(`${response.status()} ${response.request().method()} ${response.url()} on ${page.url()}`);
    });
    const desk = new Desk(page);
    await desk.open(role);
    const [open, seen, kinds, looked] = [["/desk"], new Set(["/desk"]), new Map(), new Set()];
    while (open.length) {
      const at = open.shift();
      await desk.go(at);
      await expect(desk.heading, at).not.toHaveText("No such page");
      await expect(desk.trouble, at).toHaveCount(0);
      if (!looked.has(kindOf(at))) expect(await violations(page), at).toEqual([]);
      looked.add(kindOf(at));
      const links = await page.$$eval("a[href^='/']", (found) => found.map((link) => link.getAttribute("href")));
      for (const link of links.filter((href) => href.startsWith("/desk") && !href.includes("/assets/"))) {
        const kind = kindOf(link);
        if (seen.has(link) || (kinds.get(kind) ?? 0) >= OF_ONE_KIND) continue;
        seen.add(link);
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        open.push(link);
      }
    }
    expect(refused).toEqual([]);
    expect(seen.size, [...seen].join(" ")).toBeGreaterThan(role === "customer" ? 5 : 10);
  });

  test(`every button of every page opens what it says for ${role}`, async ({ page }) => {
    test.setTimeout(300_000);
    const desk = new Desk(page);
    await desk.open(role);
    const ways = await page.getByRole("navigation", { name: "Pages" }).getByRole("link").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    const loans = new Set();
    for (const at of [...ways, "/desk/profile"]) {
      await desk.go(at);
      for (const href of await page.$$eval("a[href^='/desk/loans/']", (found) => found.map((link) => link.pathname))) loans.add(href);
      if (at === "/desk/products" && role === "admin") await expect(page.getByRole("link", { name: "New product" })).toBeVisible();
    }
    for (const at of [...ways, ...[...loans].filter((href) => href.split("/").length === 4)]) {
      await desk.go(at);
      const names = await page.locator("main button").evaluateAll((found) => found.map((button) => button.textContent.trim()));
      for (const [place, name] of names.entries()) {
        if (!name) continue;
        const button = page.locator("main button").nth(place);
        if (!(await button.isVisible())) await page.locator("details.menu > summary").click();
        await button.click();
        await desk.drawn();
        if (await desk.dialog.isVisible()) {
          expect(await violations(page), `${name} on ${at}`).toEqual([]);
          await page.keyboard.press("Escape");
          await expect(desk.dialog).toHaveCount(0);
        }
        if (new URL(page.url()).pathname !== at) break;
      }
    }
  });
}
