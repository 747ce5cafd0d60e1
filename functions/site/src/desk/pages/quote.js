/** A quote that follows what is typed: the instalment, the cost, the schedule. Nothing is stored. */
import { Refusal, call, words } from "../api.js";
import { Facts } from "../facts.js";
import { Amount, amount, date, isZero, number, rate } from "../format.js";
import { Table } from "../lists.js";
import { html, useEffect, useState } from "../ui.js";
import { t } from "../words.js";

const PAUSE = 250;

/** The quote of a request, asked for when typing pauses; nothing without an amount. */
export function useQuote(body) {
  const [state, setState] = useState({ quote: null, error: null, busy: false });
  const text = JSON.stringify(body);
  useEffect(() => {
    if (!body?.amount) {
      setState({ quote: null, error: null, busy: false });
      return undefined;
    }
    const mine = new AbortController();
    setState((old) => ({ ...old, busy: true }));
    const timer = setTimeout(async () => {
      try {
        const quote = await call("POST /api/quotes", { body, signal: mine.signal });
        setState({ quote, error: null, busy: false });
      } catch (error) {
        if (!mine.signal.aborted) setState({ quote: null, error, busy: false });
      }
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      mine.abort();
    };
  }, [text]);
  return state;
}

const money = (name) => ({ label: t.schedule[name], number: true, cell: (row) => number(row[name]) });

function Schedule({ quote }) {
  const hasFees = quote.rows.some((row) => !isZero(row.fees));
  const columns = [
    { label: t.schedule.n, number: true, cell: (row) => row.n },
    { label: t.schedule.due_on, head: true, cell: (row) => html`<span class="nobreak">${date(row.due_on)}</span>` },
    ...["principal", "interest", ...(hasFees ? ["fees"] : []), "due", "balance"].map(money),
  ];
  return html`<${Table} label=${t.loan.tabs.schedule} rows=${quote.rows} columns=${columns} keyOf=${(row) => row.n} />`;
}

/** A quote in figures, with its schedule. */
export function Quote({ of: { quote, error, busy }, open }) {
  if (error) {
    const errors = error instanceof Refusal ? error.errors : [];
    return html`<div class="quote" role="status">
      <p class="late">${t.quote.cannot}</p>
      ${errors.length ? html`<ul class="late">${errors.map(({ pointer, detail }) => html`<li key=${pointer}>${detail}</li>`)}</ul>` : html`<p class="late">${words(error)}</p>`}
    </div>`;
  }
  if (!quote) return html`<p class="empty">${t.quote.first}</p>`;
  const { currency } = quote;
  return html`<div class="quote loaded" aria-busy=${busy ? "true" : "false"}>
    <${Facts}
      large
      of=${[
        [t.quote.instalment, html`<${Amount} of=${quote.instalment} currency=${currency} />`, "main"],
        [t.quote.apr, rate(quote.apr.effective)],
        [t.loan.totalDue, html`<${Amount} of=${quote.total_due} />`],
        [t.loan.totalInterest, html`<${Amount} of=${quote.total_interest} />`],
        !isZero(quote.total_fees) && [t.loan.fees, html`<${Amount} of=${quote.total_fees} />`],
        quote.paid_out !== quote.amount && [t.receipt.paidOut, html`<${Amount} of=${quote.paid_out} />`],
      ]}
    />
    <details open=${open}>
      <summary>${t.quote.schedule(quote.rows.length, amount(quote.amount, currency))}</summary>
      <${Schedule} quote=${quote} />
    </details>
  </div>`;
}
