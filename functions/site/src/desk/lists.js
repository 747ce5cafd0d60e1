/** Tables, and lists that are read page by page. On a narrow screen each row is a card. */
import { call } from "./api.js";
import { Empty, Grey, Trouble, refreshed } from "./load.js";
import { classes, html, useCallback, useEffect, useRef, useState } from "./ui.js";
import { t } from "./words.js";

/**
 * A table.
 * @param {{label: string, rows: any[], columns: {label: string, cell: (row: any) => any, number?: boolean,
 *   head?: boolean}[], keyOf?: (row: any) => string, rowClass?: (row: any) => string, foot?: any[]}} properties
 */
export function Table({ label, rows, columns, keyOf = (row) => row.id, rowClass, foot }) {
  const cell = (column, row) => {
    const content = column.cell(row);
    const isNone = content === t.none;
    const attributes = { class: classes(column.number && "number", column.actions && "whole", isNone && "nothing") || null };
    if (column.head) return html`<th scope="row" ...${attributes}>${content}</th>`;
    return html`<td data-heading=${column.label} ...${attributes}>${content}</td>`;
  };
  return html`<table class="cards">
    <caption class="hidden">
      ${label}
    </caption>
    <thead>
      <tr>
        ${columns.map(
          (column) =>
            html`<th key=${column.label} scope="col" class=${column.number ? "number" : null}>
              ${column.actions ? html`<span class="hidden">${column.label}</span>` : column.label}
            </th>`,
        )}
      </tr>
    </thead>
    <tbody>
      ${rows.map((row, place) => html`<tr key=${keyOf(row) ?? place} class=${rowClass?.(row)}>${columns.map((column) => cell(column, row))}</tr>`)}
    </tbody>
    ${foot && html`<tfoot><tr>${foot.map((content, place) => html`<td class=${columns[place].number ? "number" : null} data-heading=${columns[place].label}>${content}</td>`)}</tr></tfoot>`}
  </table>`;
}

/**
 * A list of the interface, page by page.
 * @param {string} operation
 * @param {{path?: object, query?: object}} options
 */
export function usePages(operation, { path, query = {} } = {}, limit = 25) {
  const [state, setState] = useState({ rows: undefined, cursor: null, error: null, busy: true });
  const running = useRef(null);
  const wanted = JSON.stringify([operation, path, query, limit]);
  const load = useCallback(
    async (cursor) => {
      running.current?.abort();
      const mine = new AbortController();
      running.current = mine;
      setState((old) => ({ ...old, busy: true }));
      try {
        const page = await call(operation, { path, query: { limit, ...query, cursor }, signal: mine.signal });
        if (mine.signal.aborted) return;
        const before = (old) => (cursor ? old.rows : []);
        setState((old) => ({ rows: [...before(old), ...page.data], cursor: page.next_cursor, error: null, busy: false, page }));
      } catch (error) {
        if (!mine.signal.aborted) setState((old) => ({ ...old, error, busy: false }));
      }
    },
    [wanted],
  );
  useEffect(() => {
    load(null);
    const end = refreshed.subscribe(() => load(null));
    return () => {
      end();
      running.current?.abort();
    };
  }, [load]);
  return { ...state, more: () => load(state.cursor), reload: () => load(null) };
}

/**
 * A list with its table, words for an empty one, and a button for more.
 * @param {{of: ReturnType<typeof usePages>, label: string, columns: any[], empty: any}} properties
 */
export function Paged({ of: list, label, columns, empty, keyOf, rowClass }) {
  const { rows, cursor, error, busy } = list;
  const box = useRef(null);
  const shown = useRef(0);
  // The button that had the focus is gone after the last page.
  useEffect(() => {
    const count = rows?.length ?? 0;
    if (!cursor && shown.current && count > shown.current) {
      const first = box.current.querySelectorAll("tbody tr")[shown.current];
      first.tabIndex = -1;
      first.focus();
    }
    shown.current = cursor ? count : 0;
  }, [rows, cursor]);
  return html`<div class="loaded" ref=${box} aria-busy=${busy ? "true" : "false"}>
    <${Trouble} error=${error} retry=${list.reload} />
    ${rows === undefined && !error && html`<${Grey} lines=${5} />`}
    ${rows?.length === 0 && !cursor && html`<${Empty}>${empty}<//>`}
    ${rows?.length > 0 && html`<${Table} label=${label} rows=${rows} columns=${columns} keyOf=${keyOf} rowClass=${rowClass} />`}
    ${cursor && html`<button type="button" class="more" onClick=${list.more}>${busy ? t.loading : t.more}</button>`}
  </div>`;
}
