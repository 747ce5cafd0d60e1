/** Small parts that many pages have: facts with their names, states, tabs. */
import { html } from "./ui.js";
import { t } from "./words.js";

/**
 * Facts with their names.
 * @param {{of: ([string, any] | null | false)[]}} properties Those that are nothing are left out.
 */
export const Facts = ({ of: entries, large }) =>
  html`<dl class=${large ? "facts large" : "facts"}>
    ${entries.filter(Boolean).map(
      ([name, value, kind]) =>
        html`<div key=${name} class=${kind}>
          <dt>${name}</dt>
          <dd>${value ?? t.none}</dd>
        </div>`,
    )}
  </dl>`;

/** The status of a loan or a user. */
export const Status = ({ of: status }) => html`<span class="status ${status}">${t.status[status] ?? status}</span>`;

/** Ways between the parts of a page, each with its address. */
export const Tabs = ({ label, of: tabs, current }) =>
  html`<nav class="tabs" aria-label=${label}>
    <ul>
      ${tabs.map(
        ([href, text, id]) =>
          html`<li key=${id}><a href=${href} aria-current=${id === current ? "page" : null}>${text}</a></li>`,
      )}
    </ul>
  </nav>`;

/** A link to a loan by whose it is. */
export const LoanLink = ({ loan, children }) =>
  html`<a href="/desk/loans/${loan.id ?? loan.loan_id}">${children ?? loan.borrower_username}</a>`;

/** Chooses one of a few. */
export const Choice = ({ label, value, onChange, options }) =>
  html`<label class="choice"
    >${label}
    <select value=${value} onChange=${({ target }) => onChange(target.value)}>
      ${options.map(([option, text]) => html`<option key=${option} value=${option}>${text}</option>`)}
    </select></label
  >`;

/** A date that is asked about. */
export const DateChoice = ({ label, value, onChange, ...rest }) =>
  html`<label class="choice"
    >${label} <input type="date" value=${value} onChange=${({ target }) => onChange(target.value)} ...${rest}
  /></label>`;
