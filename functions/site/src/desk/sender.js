/** Sends the payments that wait on this device: in batches, by one tab at a time, each under the key it was taken with. */
import { Refusal, call, callAll } from "./api.js";
import { change, isOpen, payments } from "./queue.js";

/** How many payments are sent at once. */
const BATCH = 100;

/**
 * How long after its first sending a payment is sent again by itself. The server knows a key for seven days: after that
 * it would record a payment twice.
 */
const SENT_FOR = 6 * 86_400_000;

const isTooOld = ({ first_sent_at: at }) => at !== null && Date.now() - Date.parse(at) > SENT_FOR;

/** If an answer says nothing of the payment itself: it is to be sent again. */
const isPassing = (status) => status === 0 || status === 401 || status === 408 || status === 429 || status >= 500;

function outcome({ status, transaction, problem }) {
  if (transaction) return { state: "recorded", transaction_id: transaction.id, problem: null };
  if (isPassing(status)) return { state: "waiting" };
  return { state: "refused", problem: problem?.detail ?? String(status) };
}

const item = ({ loan_id, amount, paid_on, reference, key }) => ({ loan_id, amount, paid_on, reference, idempotency_key: key });

/** Sends a batch, and notes what became of each. Gives if there is any use in going on. */
async function sendBatch(batch) {
  const now = new Date().toISOString();
  // Before it is sent: if the browser ends now, the next one knows that it may have been.
  await change(batch.map(({ key }) => key), ({ first_sent_at: at }) => ({ state: "sending", first_sent_at: at ?? now }));
  let results;
  try {
    results = (await call("POST /api/repayments/batch", { body: { items: batch.map(item) } })).data;
  } catch (error) {
    if (!(error instanceof Refusal) || isPassing(error.status)) throw error;
    results = refusedAs(error, batch);
  }
  for (const [place, payment] of batch.entries()) await change([payment.key], () => outcome(results[place]));
  return results.every(({ status }) => !isPassing(status));
}

/** The results where the batch as a whole was refused: of those that it names. The others are sent again. */
function refusedAs(error, batch) {
  const named = batch.map((_, place) => error.errors.find(({ pointer }) => pointer.startsWith(`/items/${place}/`)));
  if (!named.some(Boolean)) return batch.map(() => ({ status: error.status, problem: { detail: error.message } }));
  return named.map((found) => (found ? { status: 422, problem: found } : { status: 0 }));
}

/** Looks for a payment, sent too long ago to be sent again, among the loan's transactions. */
async function lookFor({ key, loan_id: id, reference }) {
  const found = await callAll("GET /api/loans/{id}/transactions", { path: { id } });
  const made = found.find((transaction) => transaction.reference === reference);
  await change([key], () => (made ? { state: "recorded", transaction_id: made.id } : { state: "unsure" }));
}

async function sendAll(user) {
  for (const payment of (await payments(user)).filter((it) => isOpen(it) && isTooOld(it))) await lookFor(payment);
  for (;;) {
    const waiting = (await payments(user)).filter((it) => isOpen(it) && !isTooOld(it)).reverse();
    if (waiting.length === 0 || !(await sendBatch(waiting.slice(0, BATCH)))) return;
  }
}

/** Sends what waits of a user. While another tab does, this one leaves it to that. */
export async function send(user) {
  const once = (lock) => (lock ? sendAll(user) : undefined);
  try {
    await (navigator.locks ? navigator.locks.request("microloans-send", { ifAvailable: true }, once) : sendAll(user));
  } catch (error) {
    // Out of reach: the payments wait. The banner says so.
    if (!(error instanceof Refusal)) throw error;
  }
}
