/** A loan: what is due, what it was made with, what happened, and every command of one's role. */
import { call } from "../api.js";
import { DateChoice, Facts, Status, Tabs } from "../facts.js";
import { Amount, addDays, amount, date, dayOf, endOf, isZero, plan, rate, today } from "../format.js";
import { Heading, Section } from "../layout.js";
import { Lazy, Loaded, useLoad } from "../load.js";
import { Phone, Who, nameOf } from "../people.js";
import { setQuery, useQuery } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { dueOf, isPaidOut } from "./due.js";
import { Commands } from "./loan-commands.js";

const PARTS = {
  decision: () => import("./loan-decision.js"),
  schedule: () => import("./loan-schedule.js"),
  transactions: () => import("./loan-transactions.js"),
  ledger: () => import("./loan-ledger.js"),
  history: () => import("./loan-history.js"),
  statement: () => import("./loan-statement.js"),
};

/** The parts of the page that a role sees. */
const tabsOf = (role) =>
  ["", "schedule", "transactions", role !== "customer" && "ledger", "history", "statement"].filter((tab) => tab !== false);

function Due({ loan, query }) {
  const found = useLoad(
    async (signal) => {
      const path = { id: loan.id };
      const [schedule, settlement] = await Promise.all([
        call("GET /api/loans/{id}/schedule", { path, query, signal }),
        loan.status === "disbursed"
          ? call("GET /api/loans/{id}/settlement", { path, query: { ...query, on: query.as_of }, signal })
          : null,
      ]);
      return { due: dueOf(schedule), settlement, paid: schedule.totals };
    },
    [loan.id, loan.updated_at, query.as_of, query.known_at],
  );
  return html`<${Loaded} of=${found} lines=${2}>
    ${({ due, settlement, paid }) => {
      const { currency } = due;
      const money = (value) => html`<${Amount} of=${value} currency=${currency} />`;
      return html`<${Facts}
        large
        of=${[
          !isZero(due.overdue) && [t.loan.overdue, money(due.overdue), "late"],
          !isZero(due.due) && [t.loan.dueToday, money(due.due)],
          due.next && [t.loan.nextOn(date(due.next.due_on)), money(due.next.outstanding)],
          [t.loan.outstanding, money(loan.outstanding)],
          [t.loan.paid, money(paid.paid)],
          settlement && [t.loan.toClose, money(settlement.total)],
          !isZero(loan.held) && [t.loan.held, money(loan.held)],
        ]}
      />`;
    }}
  <//>`;
}

/** The dates of a loan as a line. */
function KeyDates({ loan, transactions }) {
  const first = transactions?.find(({ kind }) => kind === "disbursement");
  const steps = [
    [t.loan.appliedOn, dayOf(loan.created_at)],
    loan.decided_at && [t.loan.decidedOn[loan.status === "rejected" ? "rejected" : "approved"], dayOf(loan.decided_at)],
    first && [t.loan.paidOutOn, first.on],
    loan.next_due_on && isPaidOut(loan) && [t.loan.nextDue, loan.next_due_on],
  ].filter(Boolean);
  return html`<ol class="line" aria-label=${t.loan.keyDates}>
    ${steps.map(
      ([name, on]) => html`<li key=${name} class=${on > today() ? "ahead" : ""}><span>${name}</span> <b>${date(on)}</b></li>`,
    )}
  </ol>`;
}

function Overview({ loan, user, query }) {
  const { terms } = loan;
  const customer = useLoad(
    async (signal) => {
      const path = { id: loan.borrower_id };
      return user.role === "customer" ? user : call("GET /api/customers/{id}", { path, signal });
    },
    [loan.borrower_id],
  );
  const person = customer.data;
  const who = html`<${Who} id=${loan.agent_id} me=${user} loan=${loan} />`;
  return html`
    ${isPaidOut(loan) && html`<${Due} loan=${loan} query=${query} />`}
    ${loan.status === "pending" && user.role === "admin" && html`<${Lazy} load=${PARTS.decision} loan=${loan} user=${user} />`}
    <div class="columns two">
      <${Section} title=${t.loan.terms}>
        <${Facts}
          of=${[
            [t.loan.amount, amount(loan.amount, loan.currency)],
            [t.loan.instalments, plan(loan)],
            [t.loan.rate, rate(loan.interest_rate_apr)],
            [t.loan.totalInterest, amount(loan.total_interest, loan.currency)],
            [t.loan.totalDue, amount(loan.total_due, loan.currency)],
            [t.loan.product, html`<a href="/desk/products/${loan.product}">${loan.product}</a>`],
            terms.fees.length > 0 && [t.loan.fees, terms.fees.map((fee) => t.terms.fee(fee)).join(", ")],
            terms.late_fee && [t.loan.lateFee, t.terms.lateFee(terms.late_fee)],
          ]}
        />
      <//>
      <${Section} title=${user.role === "customer" ? t.loan.howToPay : t.loan.customer}>
        <${Facts}
          of=${[
            user.role !== "customer" && [t.person.full_name, person ? html`<a href="/desk/customers/${person.id}">${nameOf(person)}</a>` : loan.borrower_username],
            user.role !== "customer" && person && [t.person.phone, html`<${Phone} number=${person.phone} />`],
            [t.loan.payRef, html`<code class="reference">${loan.pay_ref}</code>`],
            user.role === "admin" && [t.loan.agent, who],
            loan.decision_reason && [t.loan.reason, loan.decision_reason],
          ]}
        />
        <p class="muted">${user.role === "customer" ? t.loan.payAbout : t.loan.payStaff}</p>
      <//>
    </div>`;
}

function AsOf({ asOf, knownAt }) {
  return html`<details class="as-of" open=${Boolean(asOf || knownAt)}>
    <summary>${t.loan.asOf}</summary>
    <div class="filters">
      <${DateChoice} label=${t.loan.asOfDate} value=${asOf} onChange=${(value) => setQuery({ as_of: value })} max=${addDays(today(), 3650)} />
      <${DateChoice} label=${t.loan.knownAt} value=${knownAt && dayOf(knownAt)} max=${addDays(today(), -1)} onChange=${(day) => setQuery({ known_at: day && endOf(day) })} />
      ${(asOf || knownAt) && html`<button type="button" onClick=${() => setQuery({ as_of: "", known_at: "" })}>${t.loan.now}</button>`}
    </div>
    <p class="muted">${t.loan.asOfAbout}</p>
  </details>`;
}

export default function Loan({ path: { id, tab = "" }, user }) {
  const [asOf] = useQuery("as_of");
  const [knownAt] = useQuery("known_at");
  const query = { as_of: asOf || undefined, known_at: knownAt || undefined };
  const found = useLoad(
    async (signal) => {
      const loan = await call("GET /api/loans/{id}", { path: { id }, query, signal });
      const transactions = isPaidOut(loan)
        ? (await call("GET /api/loans/{id}/transactions", { path: { id }, query: { ...query, limit: 200 }, signal })).data
        : [];
      return { loan, transactions };
    },
    [id, asOf, knownAt],
  );
  const data = found.data;
  const loan = data?.loan;
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  const tabs = tabsOf(user.role).map((name) => [`/desk/loans/${id}${name && `/${name}`}${search && `?${search}`}`, t.loan.tabs[name], name]);
  const title = loan ? t.loan.title(amount(loan.amount, loan.currency), loan.borrower_username) : t.loan.loan;
  const isNow = !asOf && !knownAt;
  return html`<${Heading} text=${title} over=${loan && html`<${Status} of=${loan.status} /> ${loan.status === "disbursed" && (loan.days_past_due > 0 ? html`<span class="late">${t.late(loan.days_past_due)}</span>` : t.onTime)}`}>
      ${loan && isNow && html`<${Commands} loan=${loan} user=${user} />`}
    <//>
    <${Loaded} of=${found} lines=${8}>
      ${() => html`
        <${KeyDates} loan=${loan} transactions=${data.transactions} />
        <${Tabs} label=${t.loan.parts} of=${tabs} current=${tab} />
        <${AsOf} asOf=${asOf} knownAt=${knownAt} />
        ${tab === ""
          ? html`<${Overview} loan=${loan} user=${user} query=${query} />`
          : PARTS[tab] && tabsOf(user.role).includes(tab)
            ? html`<${Lazy} load=${PARTS[tab]} loan=${loan} user=${user} query=${query} key=${tab} />`
            : html`<p>${t.missing.about}</p>`}
      `}
    <//>`;
}
