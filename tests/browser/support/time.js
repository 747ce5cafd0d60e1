/** When something of a page is there, by the page's own clock. */

/** Notes when the first element that fits is there. Before the page is opened. */
export const watchFor = (page, selector) =>
  page.addInitScript((wanted) => {
    const look = () => {
      if (globalThis.thereAt === undefined && document.querySelector(wanted)) globalThis.thereAt = performance.now();
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
  }, selector);

/** The milliseconds after which it was there. */
export const thereAfter = (page) => page.evaluate(() => globalThis.thereAt);
