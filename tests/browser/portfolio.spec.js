/** The portfolio on the server's own book and on made-up ones: an empty one, one of a day, a large one; refused. */

import { Book, MARKUP } from "./support/book.js";
import { Desk, day, grouped } from "./support/desk.js";
import { expectToFit } from "./support/screens.js";
import { expect, test } from "./support/test.js";

const NAMES = {
  Outstanding: "outstanding",
  "Past due": "past_due",
  "Paid out": "disbursed",
  Repaid: "repaid",
  "Applied for": "total_amount",
  "Average loan": "avg_amount",
};

/** Each status and each currency against statistics. */
async function expectFigures(desk, statistics) {
  const { page } = desk;
  await expect(page.locator(".page-heading .over")).toHaveText(`As of ${day(statistics.as_of)}.`);
  const counts = page.locator(".facts").first();
  await expect(counts.locator("dd").first()).toHaveText(grouped(statistics.total_loans));
  await expect(counts.locator("div", { hasText: "Running" }).locator("dd")).toHaveText(grouped(statistics.by_status.disbursed));
  for (const [currency, sums] of Object.entries(statistics.by_currency)) {
    await desk.choice("Currency").selectOption(currency);
    const totals = page.locator(".facts").nth(1);
    for (const [name, field] of Object.entries(NAMES)) {
      const value = totals.locator("div", { has: page.getByText(name, { exact: true }) }).locator("dd");
      await expect(value, `${currency}: ${name}`).toHaveText(`${grouped(sums[field])} ${currency}`);
    }
  }
}

/** Logs an admin in on a book in place of the server's, on the portfolio's page. */
async function openBook(page, standIn, book, query = "") {
  standIn.book = book;
  const desk = new Desk(page);
  await desk.open("admin", `/desk/portfolio${query}`);
  await expect(desk.trouble).toHaveCount(0);
  return desk;
}

test("the figures are those of the interface", async ({ page, client }) => {
  const desk = new Desk(page);
  await desk.open("admin", "/desk/portfolio");
  await expectFigures(desk, await client.get("/api/stats", "admin"));
  await expectToFit(page, "portfolio-own");
});

test("an empty book is shown as one", async ({ page, standIn }) => {
  await openBook(page, standIn, new Book(0));
  await expect(page.getByText("There are no loans yet")).toBeVisible();
  await expectToFit(page, "portfolio-empty");
});

test("a single day has figures, but no plot", async ({ page, standIn }) => {
  const book = new Book(1);
  book.days.length = 1;
  await openBook(page, standIn, book, "?currency=KES");
  await expect(page.locator(".plot")).toHaveCount(0);
  await expect(page.locator(".readout")).toContainText(`Outstanding ${grouped(book.days[0].by_currency.KES.outstanding)}`);
});

test.describe("a large book", () => {
  const book = new Book(60);

  test("fits on every screen", async ({ page, standIn }) => {
    await openBook(page, standIn, book);
    await page.locator(".plot canvas").waitFor();
    await expectToFit(page, "portfolio-large");
  });

  test("has the figures of each currency by itself", async ({ page, standIn }) => {
    await expectFigures(await openBook(page, standIn, book), book.statistics());
  });

  test("has a history, as a plot and as a table", async ({ page, standIn }) => {
    const desk = await openBook(page, standIn, book, "?currency=KES");
    await page.getByText("Show table").click();
    const { as_of, by_currency } = book.days[0];
    const { loans, disbursed, repaid, outstanding, past_due } = by_currency.KES;
    const rows = await desk.rows("History");
    expect(rows[0]).toEqual([day(as_of), ...[loans, disbursed, repaid, outstanding, past_due].map(grouped)]);
    expect(rows).toHaveLength(90);
    await page.getByRole("button", { name: "Earlier" }).click();
    await expect(page.getByRole("table", { name: "History" }).locator("tbody tr")).toHaveCount(180);
    await expect(page.getByRole("button", { name: "Earlier" })).toHaveCount(0);
    // Something is drawn.
    const isDrawn = () =>
      page.$eval(".plot canvas", (canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value) => value !== 0);
      });
    await expect.poll(isDrawn).toBe(true);
  });

  test("has a risk for each group", async ({ page, standIn }) => {
    const desk = await openBook(page, standIn, book, "?currency=KES");
    const [whole] = book.arrears("currency").filter(({ currency }) => currency === "KES");
    const [row, ...others] = await desk.rows("Portfolio at risk");
    expect([row[0], others]).toEqual(["KES", []]);
    for (const [place, name] of ["par1", "par30", "par60", "par90"].entries()) {
      const { share, amount, loans } = whole[name];
      const hundredths = Math.round(Number(share) * 10_000);
      const percent = `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, "0")}`;
      expect(row[2 + place].split(/\s+/)).toEqual([percent, "%", grouped(amount), String(loans), "loans"]);
    }
    await desk.choice("By").selectOption("product");
    await desk.settled();
    expect((await desk.rows("Portfolio at risk")).map(([group]) => group)).toEqual(["microloan-kes", MARKUP]);
  });

  test("is read page by page, and no text is taken for markup", async ({ page, standIn }) => {
    const desk = await openBook(page, standIn, book);
    await desk.go("/desk/applications");
    const borrowers = book.loans.map((loan) => loan.borrower_username);
    const shown = async () => (await desk.rows("Pending applications")).map(([borrower]) => borrower);
    expect(await shown()).toEqual(borrowers.slice(0, 25));
    await page.getByRole("button", { name: "Show more" }).click();
    await expect.poll(async () => (await shown()).length).toBe(50);
    await page.getByRole("button", { name: "Show more" }).click();
    await expect.poll(shown).toEqual(borrowers);
    await expect(page.getByRole("button", { name: "Show more" })).toHaveCount(0);
    // The button is gone: the focus is on the first of the new rows.
    expect(await page.evaluate(() => document.activeElement.tagName)).toBe("TR");
    await desk.go("/desk/collections");
    expect((await desk.rows("Collections"))[0][0]).toBe(MARKUP);
    await expect(page.locator("main img")).toHaveCount(0);
    expect(await page.title()).not.toContain("owned");
  });

  test("says in words what one part is refused, and shows the others", async ({ page, standIn }) => {
    standIn.refused = { "/api/portfolio/arrears": { detail: "The database cannot be reached" } };
    standIn.book = book;
    const desk = new Desk(page);
    await desk.open("admin", "/desk/portfolio");
    await expect(desk.trouble).toHaveText(/The database cannot be reached\. Try again in 1 second\./);
    await expectToFit(page, "portfolio-refused");
    standIn.refused = {};
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(desk.trouble).toHaveCount(0);
    await desk.settled();
  });

  test("says once that the server cannot be reached, and asks for all again", async ({ page, standIn }) => {
    const desk = await openBook(page, standIn, book);
    const banner = page.locator(".offline");
    standIn.offline = true;
    await page.getByRole("link", { name: "Applications" }).click();
    await expect(banner).toBeVisible();
    await expect(desk.trouble).toHaveCount(0);
    await expectToFit(page, "offline");
    standIn.offline = false;
    await banner.getByRole("button").click();
    await expect(banner).toHaveCount(0);
    await desk.settled();
    expect(await desk.rows("Pending applications")).toHaveLength(25);
  });
});
