/** Sections: each loads by itself, and says itself what is wrong. */
import { at, fillTable } from "./elements.js";
import { Refusal, words } from "./interface.js";
import { ask, session, view } from "./session.js";

/** How many rows a page of a list has. */
const ROWS = 10;

/** Whether an error is that the server cannot be reached, which one banner says for all sections. */
export function isOffline(error) {
  const offline = error instanceof Refusal && error.status === 0;
  if (offline) {
    view.offline = true;
    at("offline").hidden = false;
  }
  return offline;
}

/**
 * Loads what a section shows. What is wrong is said in the section; a later load of it ends an earlier one.
 * @param {HTMLElement} section
 * @param {(signal: AbortSignal) => Promise<void>} work
 */
export async function load(section, work) {
  const message = section.querySelector(".message");
  view.loading.get(section)?.abort();
  const mine = new AbortController();
  view.loading.set(section, mine);
  const signal = AbortSignal.any([mine.signal, session.ended.signal]);
  section.setAttribute("aria-busy", "true");
  try {
    await work(signal);
    message.textContent = "";
  } catch (error) {
    if (!signal.aborted) message.textContent = isOffline(error) ? "" : words(error);
  } finally {
    if (!signal.aborted) section.removeAttribute("aria-busy");
  }
}

/** A list that is had page by page, in a section with a table, words for an empty one, and a button for more. */
export class PagedTable {
  /**
   * @param {string} id The section's.
   * @param {string} path Where the list is had.
   * @param {(thing: object, row: HTMLTableRowElement) => (string | Node)[]} contents A row's cells.
   */
  constructor(id, path, contents) {
    this.section = at(id);
    this.path = path;
    this.contents = contents;
    this.table = this.section.querySelector("table");
    this.more = this.section.querySelector(".more");
    this.query = {};
    this.cursor = null;
    this.more.addEventListener("click", () => this.page(this.cursor));
  }

  /** Shows the first page of what is asked for. */
  show(query) {
    this.query = query;
    return this.page(null);
  }

  page(cursor) {
    return load(this.section, async (signal) => {
      const query = { ...this.query, limit: ROWS, cursor };
      // Rows may name agents.
      const [page] = await Promise.all([ask("GET", this.path, { query, signal }), view.agentsKnown]);
      if (!cursor) this.table.tBodies[0].replaceChildren();
      const [first] = fillTable(this.table, page.data, this.contents);
      this.cursor = page.next_cursor;
      this.settle();
      // The button that had the focus is gone after the last page.
      if (cursor && !this.cursor && first) {
        first.tabIndex = -1;
        first.focus();
      }
    });
  }

  /** Shows the table, or says that there is nothing in it. */
  settle() {
    const rows = this.table.tBodies[0].rows.length;
    this.table.hidden = rows === 0;
    this.more.hidden = !this.cursor;
    this.section.querySelector(".empty").hidden = rows > 0 || Boolean(this.cursor);
  }

  /** Takes a row away and moves the focus to the one that follows, which may be on the next page. */
  async remove(row) {
    const place = row.sectionRowIndex;
    row.remove();
    this.settle();
    const { rows } = this.table.tBodies[0];
    if (place === rows.length && this.cursor) await this.page(this.cursor);
    this.focus(rows[place] ?? rows[place - 1]);
  }

  /** Moves the focus to a row's first button or, where there is no row, to the heading. */
  focus(row) {
    const heading = this.section.querySelector("h2");
    heading.tabIndex = -1;
    (row?.querySelector("button") ?? heading).focus();
  }
}
