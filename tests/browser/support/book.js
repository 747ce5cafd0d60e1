/** A made-up book: the answers to all that the portfolio asks. Figures follow from places, not from chance. */

/** Text that would do harm where it is taken for markup. */
export const MARKUP = "<img src=x onerror=\"document.title='owned'\">";

/** The currencies and their fractional digits. */
const CURRENCIES = { KES: 2, INR: 2, NGN: 2, VND: 0, PHP: 2 };
const CODES = Object.keys(CURRENCIES);

const STATUSES = ["pending", "approved", "rejected", "withdrawn", "disbursed", "repaid", "defaulted"];
const NAMES = ["Wanjiru", "Asha", "Chidi", "Linh", "Maria"];
const TODAY = "2026-03-02";
const DAY = 86_400_000;

/** The days past due from which a loan counts as at risk, and shares of them in ten-thousandths. */
const RISKS = [
  ["par1", 846],
  ["par30", 425],
  ["par60", 201],
  ["par90", 98],
];

const money = (currency, amount) => Number(amount).toFixed(CURRENCIES[currency]);
const padded = (number, length) => String(number).padStart(length, "0");
const range = (length, make) => Array.from({ length }, (_, number) => make(number));

function someId(kind, number) {
  return `01957d3a-7c4e-7a10-9d2b-${kind.toString(16).padStart(4, "0")}${number.toString(16).padStart(8, "0")}`;
}

function statistics(size, daysAgo) {
  const by_currency = {};
  for (const [place, currency] of (size ? CODES : []).entries()) {
    const scale = 10 ** place * (1000 - daysAgo * 3);
    const wave = 1 + ((daysAgo * 13) % 29) / 200;
    by_currency[currency] = {
      loans: Math.floor(41_203 / (place + 1)) - daysAgo * 11,
      total_amount: money(currency, scale * 19_204),
      avg_amount: money(currency, scale * 0.4821),
      disbursed: money(currency, scale * 15_311),
      repaid: money(currency, scale * 9_876),
      outstanding: money(currency, scale * 5_435),
      past_due: money(currency, Math.floor(scale * 402 * wave)),
    };
  }
  const some = { approved: 812, rejected: 3_977, withdrawn: 640, disbursed: 21_455, repaid: 57_120, defaulted: 906 };
  const by_status = Object.fromEntries(STATUSES.map((status) => [status, 0]));
  if (size) Object.assign(by_status, { pending: size, ...some });
  const total_loans = Object.values(by_status).reduce((sum, count) => sum + count, 0);
  const as_of = new Date(Date.parse(TODAY) - daysAgo * DAY).toISOString().slice(0, 10);
  return { as_of, total_loans, by_status, by_currency };
}

function agent(number) {
  return {
    id: someId(1, number),
    username: `agent.${padded(number, 3)}`,
    email: `agent.${padded(number, 3)}@example.com`,
    phone: `+2547000${padded(number, 5)}`,
    full_name: number === 1 ? MARKUP : `${NAMES[number % 5]} of branch ${padded(number, 3)}`,
    role: "agent",
    status: number % 3 === 0 ? "pending" : "active",
    created_at: "2026-02-27T08:15:30.000000Z",
    updated_at: "2026-02-27T08:15:30.000000Z",
  };
}

function loan(number) {
  const currency = CODES[number % 5];
  const amount = (((number * 7_919) % 400) + 5) * 1_000;
  const [repay_every, repay_unit] = [[1, "month"], [2, "week"], [1, "day"]][number % 3];
  return {
    id: someId(2, number),
    borrower_username: `usr_borrower_${padded(number, 3)}`,
    amount: money(currency, amount),
    currency,
    product: `microloan-${currency.toLowerCase()}`,
    status: "pending",
    version: 1,
    agent_id: number % 4 ? someId(1, number % 40) : null,
    interest_rate_apr: "24.00",
    terms: { instalments: 12, repay_every, repay_unit },
    instalment: money(currency, amount * 0.09456),
    total_due: money(currency, amount * 1.13472),
    created_at: `2026-03-01T${padded(number % 24, 2)}:05:00.000000Z`,
  };
}

function collection(number) {
  const currency = CODES[number % 5];
  return {
    loan_id: someId(3, number),
    customer: number === 0 ? MARKUP : `usr_borrower_${padded(number, 3)}`,
    currency,
    due: money(currency, 2_142.4 + number),
    overdue: money(currency, Math.max(0, 60 - number) * 310.5),
    days_past_due: Math.max(0, 120 - 2 * number),
  };
}

const risk = (currency, share, loans) => ({
  amount: money(currency, share * 5_435_000),
  share: share.toFixed(4),
  loans,
});

/** Lists of a book. The larger it is, the more loans, agents and days there are; at nought there is nothing. */
export class Book {
  constructor(size) {
    this.size = size;
    this.agents = range(size, agent);
    this.loans = range(size, loan);
    this.collections = range(size, collection);
    this.days = range(3 * size, (daysAgo) => statistics(size, daysAgo));
  }

  statistics() {
    return statistics(this.size, 0);
  }

  arrears(groupBy) {
    const groupsOf = (currency) => ({
      currency: [currency],
      product: [`microloan-${currency.toLowerCase()}`, MARKUP],
      agent: [null, ...this.agents.slice(0, 6).map(({ id }) => id)],
    });
    const currencies = this.size ? CODES : [];
    return currencies.flatMap((currency, place) =>
      groupsOf(currency)[groupBy].map((group, number) => {
        const shares = RISKS.map(([name, share]) => [name, (share * (number + 2)) / 20_000]);
        const risks = shares.map(([name, share]) => [name, risk(currency, share, Math.floor(share * 4_100))]);
        const outstanding = money(currency, 5_435_000);
        return { group, currency, loans: 4_100 - place, outstanding, ...Object.fromEntries(risks) };
      }),
    );
  }

  performance(agent_id) {
    const sums = (currency) => ({
      requests: 602,
      approval_rate: "0.8125",
      disbursed: money(currency, 9_204_500),
      collected: money(currency, 4_102_250),
      par30: risk(currency, 0.0425, 17),
    });
    const currencies = this.size ? CODES.slice(0, 2) : [];
    return {
      agent_id,
      from: "2026-02-01",
      to: TODAY,
      requests: 602 * currencies.length,
      approval_rate: currencies.length ? "0.8125" : null,
      by_currency: Object.fromEntries(currencies.map((currency) => [currency, sums(currency)])),
    };
  }

  /** The answer to a GET; `undefined` leaves it to the server. */
  answer(path, query) {
    const lists = {
      "/api/stats/history": this.days,
      "/api/collections": this.collections,
      "/api/loans": this.loans,
      "/api/agents": this.agents.filter(({ status }) => [null, status].includes(query.get("status"))),
    };
    if (path in lists) {
      const [start, limit] = [Number(query.get("cursor") ?? 0), Number(query.get("limit") ?? 50)];
      const rest = lists[path].slice(start);
      return { data: rest.slice(0, limit), next_cursor: rest.length > limit ? String(start + limit) : null };
    }
    if (path === "/api/stats") return this.statistics();
    if (path === "/api/portfolio/arrears") return this.arrears(query.get("group_by") ?? "currency");
    const agentId = path.match(/^\/api\/agents\/([^/]+)\/performance$/)?.[1];
    return agentId && this.performance(agentId);
  }
}
