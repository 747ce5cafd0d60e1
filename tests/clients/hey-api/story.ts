// The first loan of the README, told by the client that @hey-api/openapi-ts makes of the document: node story.js BASE_URL
import assert from "node:assert/strict";
import { createClient, createConfig } from "./api/client/index.js";
import * as api from "./api/index.js";

const baseUrl = process.argv[2];
const tag = Date.now().toString(36);
const today = new Date().toISOString().slice(0, 10);

/** A client of whoever has this token. */
const as = (token?: string) => createClient(createConfig({ baseUrl, ...(token ? { auth: token } : {}) }));

/** What was answered, where it was no refusal. */
function answered<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const anyone = as();
async function login(username: string, password: string) {
  return as(answered(await api.login({ client: anyone, body: { username, password } })).access_token);
}

const password = "correct horse battery";
const register = async (username: string, role: api.RegistrationRole) =>
  answered(
    await api.register({
      client: anyone,
      body: { username, password, role, email: `${username}@example.com`, phone: "+919812345678" },
    }),
  );

// People: a customer is active at once, an agent once an admin approves it.
const admin = await login("admin", "microloans-demo");
const customer = await register(`hey_customer_${tag}`, "customer");
const newcomer = await register(`hey_agent_${tag}`, "agent");
answered(await api.approveAgent({ client: admin, path: { id: newcomer.id }, body: {} }));
const agent = await login(newcomer.username, password);

// What a loan costs; anyone may ask.
const quote = answered(
  await api.createQuote({ client: anyone, body: { amount: "12000.50", currency: "INR", product: "microloan-inr" } }),
);
assert.match(quote.apr.nominal ?? "", /^\d+\.\d{4}$/);

// The agent applies for the customer. The client writes the list of statuses as the document says.
const loan = answered(
  await api.createLoan({
    client: agent,
    headers: { "Idempotency-Key": `apply-${tag}` },
    body: { borrower_id: customer.username, amount: 12000.5, currency: "INR", term_months: 6, interest_rate_apr: 24 },
  }),
);
const path = { id: loan.id };
const found = answered(
  await api.listLoans({ client: agent, query: { status: ["pending", "approved"], borrower_id: customer.id } }),
);
assert.deepEqual(found.data.map(({ id }) => id), [loan.id]);
assert.equal(answered(await api.getLoanSchedule({ client: agent, path })).rows.length, 6);

// The admin approves the version they have seen, and no other.
const seen = await api.getLoan({ client: admin, path });
const approve = (version: string) =>
  api.approveLoan({ client: admin, path, headers: { "If-Match": version }, body: {} });
assert.equal((await approve('"9"')).error?.code, "stale_version");
assert.equal(answered(await approve(seen.response?.headers.get("ETag") ?? "")).status, "approved");

// The admin pays it out; the agent takes a payment, sent twice and counted once.
answered(
  await api.disburseLoan({
    client: admin, path, headers: { "Idempotency-Key": `pay-out-${tag}` }, body: { disbursed_on: today },
  }),
);
const repay = () =>
  api.recordRepayment({
    client: agent, path, headers: { "Idempotency-Key": `receipt-${tag}` },
    body: { amount: "2142.40", paid_on: today, channel: "cash" },
  });
const payment = answered(await repay());
assert.equal(payment.allocation?.principal, "1902.39");
assert.equal(answered(await repay()).id, payment.id);

// Its statement, its ledger, and a refusal that names the field.
const statement = answered(await api.getLoanStatement({ client: agent, path, query: { limit: 1 } }));
assert.deepEqual([statement.data.length, statement.closing_balance], [1, "10098.11"]);
assert.equal(answered(await api.getLoanLedger({ client: admin, path })).data.length, 2);
const refused = await api.recordRepayment({
  client: agent, path, headers: { "Idempotency-Key": `nothing-${tag}` }, body: { amount: "0", paid_on: today },
});
assert.deepEqual([refused.error?.code, refused.error?.errors?.[0]?.pointer], ["validation_failed", "/amount"]);
console.log("hey-api: the story is told");
