/** The dashboard on made-up books: an empty one, one of a day, a large one; refused, and out of reach. */

import { Book, MARKUP } from "./support/book.js";
import { Dashboard, expectFigures, grouped } from "./support/dashboard.js";
import { expectToFit } from "./support/screens.js";
import { expect, test } from "./support/test.js";

/** Logs an admin in on a book in place of the server's. */
async function openBook(page, standIn, book) {
  standIn.book = book;
  const dashboard = new Dashboard(page);
  await dashboard.open("admin");
  expect(await dashboard.messages()).toEqual([]);
  return dashboard;
}

test("an empty book is shown as one", async ({ page, standIn }) => {
  await openBook(page, standIn, new Book(0));
  await expectToFit(page, "empty");
});

test("a single day has figures, but no plot", async ({ page, standIn }) => {
  const book = new Book(1);
  book.days.length = 1;
  await openBook(page, standIn, book);
  await expect(page.locator("#plot")).toBeHidden();
  await expect(page.locator("#plot canvas")).toHaveCount(0);
  const { outstanding } = book.days[0].by_currency.KES;
  await expect(page.locator("#readout")).toContainText(`Outstanding ${grouped(outstanding)}`);
});

test.describe("a large book", () => {
  const book = new Book(60);

  test("fits on every screen", async ({ page, standIn }) => {
    await openBook(page, standIn, book);
    await expectToFit(page, "large");
  });

  test("has the figures of each currency by itself", async ({ page, standIn }) => {
    const dashboard = await openBook(page, standIn, book);
    await expectFigures(dashboard, book.statistics());
    // The tabs answer to the keyboard, and the next currency has its own figures.
    await page.click("#tab-KES");
    await page.keyboard.press("ArrowRight");
    expect(await dashboard.focused()).toBe("tab-INR");
    const { outstanding } = book.days[0].by_currency.INR;
    expect((await dashboard.figures("#totals")).Outstanding).toBe(`${grouped(outstanding)} INR`);
    await expect(page.locator("#readout")).toContainText("INR");
    await page.keyboard.press("End");
    await expect(page.locator("[aria-selected=true]")).toHaveId("tab-PHP");
  });

  test("has a history, as a plot and as a table", async ({ page, standIn }) => {
    const dashboard = await openBook(page, standIn, book);
    await page.click("#tab-KES");
    await page.click("#history-figures summary");
    const newest = book.days[0].by_currency.KES;
    const { loans, disbursed, repaid, outstanding, past_due } = newest;
    const rows = await dashboard.rows("#history");
    expect(rows[0]).toEqual([book.days[0].as_of, ...[loans, disbursed, repaid, outstanding, past_due].map(grouped)]);
    expect(rows).toHaveLength(90);
    await page.click("#history .more");
    await expect(page.locator("#history-table tbody tr")).toHaveCount(180);
    await expect(page.locator("#history .more")).toBeHidden();
    await expect(page.locator("#readout")).toContainText(`Outstanding ${grouped(newest.outstanding)}`);
    // Something is drawn.
    const isDrawn = await page.$eval("#plot canvas", (canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value !== 0);
    });
    expect(isDrawn).toBe(true);
  });

  test("has a risk for each group", async ({ page, standIn }) => {
    const dashboard = await openBook(page, standIn, book);
    await page.click("#tab-KES");
    const [whole] = book.arrears("currency").filter(({ currency }) => currency === "KES");
    const [shown, ...others] = await dashboard.rows("#arrears");
    expect([shown[0], others]).toEqual(["KES", []]);
    for (const [place, name] of ["par1", "par30", "par60", "par90"].entries()) {
      const { share, amount, loans } = whole[name];
      const hundredths = Math.round(Number(share) * 10_000);
      const percent = `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, "0")}`;
      expect(shown[2 + place].split(/\s+/)).toEqual([percent, "%", grouped(amount), grouped(loans), "loans"]);
    }
    const rows = page.locator("#arrears tbody tr");
    await page.selectOption("#group-by", "product");
    await expect(rows).toHaveCount(2);
    expect((await dashboard.rows("#arrears")).map(([group]) => group)).toEqual(["microloan-kes", MARKUP]);
    await page.selectOption("#group-by", "agent");
    await expect(rows).toHaveCount(7);
    expect((await dashboard.rows("#arrears")).slice(0, 2).map(([group]) => group)).toEqual(["no agent", "agent.000"]);
  });

  test("is read page by page, and no text is taken for markup", async ({ page, standIn }) => {
    const dashboard = await openBook(page, standIn, book);
    const borrowers = book.loans.map((loan) => loan.borrower_username);
    const shown = async () => (await dashboard.rows("#loans")).map(([borrower]) => borrower);
    expect(await shown()).toEqual(borrowers.slice(0, 10));
    for (let rows = 20; rows <= borrowers.length; rows += 10) {
      await page.click("#loans .more");
      await expect(page.locator("#loans tbody tr")).toHaveCount(rows);
    }
    expect(await shown()).toEqual(borrowers);
    await expect(page.locator("#loans .more")).toBeHidden();
    const { due, overdue, days_past_due: days, loan_id: id } = book.collections[0];
    const amounts = [due, overdue].map((amount) => `${grouped(amount)} KES`);
    expect((await dashboard.rows("#collections"))[0]).toEqual([MARKUP, ...amounts, String(days), id]);
    await expect(page.locator("main img")).toHaveCount(0);
    expect(await page.title()).not.toContain("owned");
  });

  test("asks for what is chosen", async ({ page, standIn, asked }) => {
    const dashboard = await openBook(page, standIn, book);
    const { id } = book.agents[2];
    await page.selectOption("#performance-agent", id);
    await expect(page.locator("#performance tbody tr")).toHaveCount(2);
    await expect(page.locator("#performance-summary")).toContainText("1,204 requests, 81.25 % approved");
    await page.selectOption("#interval", "month");
    await page.fill("#collections-on", "2026-02-14");
    await page.selectOption("#collections-agent", id);
    await page.fill("#performance-from", "2026-01-01");
    await dashboard.loaded();
    for (const end of [
      "/api/stats/history?interval=month&limit=90",
      "/api/collections?on=2026-02-14&limit=10",
      `on=2026-02-14&agent_id=${id}&limit=10`,
      `${id}/performance?from=2026-01-01`,
    ]) {
      expect(asked.filter((url) => url.endsWith(end)), end).not.toEqual([]);
    }
  });

  test("says in words what one section is refused, and shows the others", async ({ page, standIn }) => {
    const dashboard = await openBook(page, standIn, book);
    const message = page.locator("#collections .message");
    standIn.refused = { "/api/collections": { detail: "The database cannot be reached" } };
    await page.click("#refresh");
    await expect(message).not.toBeEmpty();
    await dashboard.settled();
    expect(await dashboard.messages()).toEqual(["The database cannot be reached. Try again in 1 s."]);
    expect(await dashboard.rows("#loans")).toHaveLength(10);
    standIn.refused = {};
    await page.click("#refresh");
    await expect(message).toBeEmpty();
    await dashboard.loaded();
  });

  test("says once that the server cannot be reached, and asks for all again", async ({ page, standIn }) => {
    const dashboard = await openBook(page, standIn, book);
    const banner = page.locator("#offline");
    standIn.offline = true;
    await page.click("#refresh");
    await expect(banner).toBeVisible();
    await dashboard.settled();
    expect(await dashboard.messages()).toEqual([]);
    await expect(dashboard.notice).toBeEmpty();
    await expectToFit(page, "offline");
    await page.click("#retry");
    await dashboard.settled();
    await expect(banner).toBeVisible();
    standIn.offline = false;
    await page.click("#retry");
    await expect(banner).toBeHidden();
    expect(await dashboard.focused()).toBe("title");
    expect(await dashboard.rows("#loans")).toHaveLength(10);
  });
});
