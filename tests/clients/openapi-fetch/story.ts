// The first loan of the README, told by the client that openapi-typescript and openapi-fetch make of the document:
// node story.js BASE_URL
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.ts";

type Problem = components["schemas"]["Problem"];

const baseUrl = process.argv[2];
const tag = Date.now().toString(36);
const today = new Date().toISOString().slice(0, 10);

/** Of the forms that an answer has, those in JSON: lists are there as CSV too. */
type Media = "application/json" | "application/problem+json";

/** A client of whoever has this token. Lists in queries are written with commas, as the document says. */
function client(token?: string) {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  return createClient<paths, Media>({ baseUrl, headers, querySerializer: { array: { style: "form", explode: false } } });
}

/** What was answered, where it was no refusal. */
function answered<T>(answer: { data?: T; error?: Problem; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

async function login(username: string, password: string) {
  const session = answered(await client().POST("/api/auth/login", { body: { username, password } }));
  return client(session.access_token);
}

const password = "correct horse battery";
const register = async (username: string, role: components["schemas"]["RegistrationRole"]) =>
  answered(
    await client().POST("/api/auth/register", {
      body: { username, password, role, email: `${username}@example.com`, phone: "+919812345678" },
    }),
  );

// People: a customer is active at once, an agent once an admin approves it.
const admin = await login("admin", "microloans-demo");
const customer = await register(`fetch_customer_${tag}`, "customer");
const newcomer = await register(`fetch_agent_${tag}`, "agent");
assert.equal(newcomer.status, "pending");
answered(await admin.POST("/api/agents/{id}/approve", { params: { path: { id: newcomer.id } }, body: {} }));
const agent = await login(newcomer.username, password);

// What a loan costs; anyone may ask.
const quote = answered(
  await client().POST("/api/quotes", { body: { amount: "12000.50", currency: "INR", product: "microloan-inr" } }),
);
assert.match(quote.apr.nominal ?? "", /^\d+\.\d{4}$/);

// The agent applies for the customer, with a number where the interface takes strings and numbers.
const loan = answered(
  await agent.POST("/api/loans", {
    params: { header: { "Idempotency-Key": `apply-${tag}` } },
    body: { borrower_id: customer.username, amount: 12000.5, currency: "INR", term_months: 6, interest_rate_apr: 24 },
  }),
);
assert.deepEqual([loan.status, loan.amount], ["pending", "12000.50"]);
const path = { id: loan.id };
const found = answered(
  await agent.GET("/api/loans", { params: { query: { status: ["pending", "approved"], borrower_id: customer.id } } }),
);
assert.deepEqual(found.data.map(({ id }) => id), [loan.id]);
const schedule = answered(await agent.GET("/api/loans/{id}/schedule", { params: { path } }));
assert.equal(schedule.rows.length, 6);

// The admin approves the version they have seen, and no other.
const seen = await admin.GET("/api/loans/{id}", { params: { path } });
const version = seen.response.headers.get("ETag") ?? "";
const approve = (tag: string) =>
  admin.POST("/api/loans/{id}/approve", { params: { path, header: { "If-Match": tag } }, body: {} });
assert.equal((await approve('"9"')).error?.code, "stale_version");
assert.equal(answered(await approve(version)).status, "approved");

// The admin pays it out; the agent takes a payment, sent twice and counted once.
answered(
  await admin.POST("/api/loans/{id}/disbursements", {
    params: { path, header: { "Idempotency-Key": `pay-out-${tag}` } },
    body: { disbursed_on: today },
  }),
);
const repay = () =>
  agent.POST("/api/loans/{id}/repayments", {
    params: { path, header: { "Idempotency-Key": `receipt-${tag}` } },
    body: { amount: "2142.40", paid_on: today, channel: "cash" },
  });
const payment = answered(await repay());
assert.equal(payment.allocation?.principal, "1902.39");
assert.equal(answered(await repay()).id, payment.id);

// Its statement, its ledger, and a refusal that names the field.
const statement = answered(await agent.GET("/api/loans/{id}/statement", { params: { path, query: { limit: 1 } } }));
assert.deepEqual([statement.data.length, statement.closing_balance], [1, "10098.11"]);
assert.notEqual(statement.next_cursor, null);
const ledger = answered(await admin.GET("/api/loans/{id}/ledger", { params: { path } }));
assert.equal(ledger.data.length, 2);
const refused = await agent.POST("/api/loans/{id}/repayments", {
  params: { path, header: { "Idempotency-Key": `nothing-${tag}` } },
  body: { amount: "0", paid_on: today },
});
assert.deepEqual([refused.error?.code, refused.error?.errors?.[0]?.pointer], ["validation_failed", "/amount"]);
console.log("openapi-fetch: the story is told");
