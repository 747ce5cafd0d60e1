/** A page on screens of every kind: nothing is wider than the screen, and axe finds nothing. */

import { AxeBuilder } from "@axe-core/playwright";
import { expect } from "@playwright/test";

/**
 * A wide screen, one where tables are barely tables, a tablet's, a phone's, the narrowest phone's. axe looks at those
 * with another layout or other colours.
 */
const SCREENS = [
  { width: 1440, colorScheme: "light", audited: true },
  { width: 1440, colorScheme: "dark", audited: true },
  { width: 970, colorScheme: "light" },
  { width: 760, colorScheme: "light" },
  { width: 390, colorScheme: "light", audited: true },
  { width: 390, colorScheme: "dark" },
  { width: 360, colorScheme: "light" },
];

/** Where pictures of the pages go, to look at. */
const PICTURES = process.env.PICTURES;

/** A screen under so many pixels is a phone's, which heeds the page's own word on its width. */
const PHONE = 500;

/** What axe finds wrong on the page as it is. */
export async function violations(page) {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}

/** Looks at the page on every screen, and leaves it on the first. */
export async function expectToFit(page, name) {
  const browser = await page.context().newCDPSession(page);
  const turnTo = async ({ width, colorScheme }) => {
    const metrics = { width, height: 900, deviceScaleFactor: 1, mobile: width < PHONE };
    // A picture of the whole page leaves its own measures behind.
    await browser.send("Emulation.clearDeviceMetricsOverride");
    await browser.send("Emulation.setDeviceMetricsOverride", metrics);
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  };
  for (const screen of SCREENS) {
    await turnTo(screen);
    const what = `${name}, ${screen.width} pixels, ${screen.colorScheme}`;
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide, `${what}: how wide the page is`).toBeLessThanOrEqual(screen.width);
    if (screen.audited) expect(await violations(page), `${what}: what axe finds`).toEqual([]);
    if (PICTURES) {
      const path = `${PICTURES}/${name}-${screen.width}-${screen.colorScheme}.png`;
      await page.screenshot({ path, fullPage: true });
    }
  }
  await turnTo(SCREENS[0]);
  await browser.detach();
}
