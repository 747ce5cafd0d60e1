/**
 * Payments taken on this device, in IndexedDB until the server has recorded or refused them, and the day's collections,
 * to look at without a network. Each payment has a key and a reference made here: sent twice, it is recorded once.
 */
import { Refusal } from "./api.js";
import { newKey } from "./forms.js";
import { store } from "./ui.js";
import { t } from "./words.js";

const NAME = "microloans-desk";
const DAY = 86_400_000;

/** How long recorded payments stay in the list. */
const RECORDED_FOR = 7 * DAY;

/** Counts up when payments change, in this tab or another. */
export const changes = store(0);

const others = new BroadcastChannel("microloans-queue");
others.addEventListener("message", () => changes.set(changes.get() + 1));

function changed() {
  changes.set(changes.get() + 1);
  others.postMessage("changed");
}

let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.addEventListener("upgradeneeded", () => {
      request.result.createObjectStore("payments", { keyPath: "key" }).createIndex("user", "user_id");
      request.result.createObjectStore("collections", { keyPath: "user_id" });
    });
    request.addEventListener("success", () => {
      // A tab with a newer desk may change the database.
      request.result.addEventListener("versionchange", () => request.result.close());
      resolve(request.result);
    });
    request.addEventListener("error", () => {
      opened = null;
      reject(request.error);
    });
  });
  return opened;
}

/**
 * Works in one transaction, which is on the disk when this is done.
 * @param {"payments" | "collections"} name
 * @param {(entries: IDBObjectStore, give: (value: any) => void) => void} work `give` says what this gives.
 */
async function within(name, mode, work) {
  const transaction = (await database()).transaction(name, mode, { durability: "strict" });
  let given;
  work(transaction.objectStore(name), (value) => {
    given = value;
  });
  return new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve(given));
    transaction.addEventListener("abort", () => reject(transaction.error));
  });
}

/** The payments of a user, the latest first. Another user's are not shown. */
export async function payments(user) {
  const found = await within("payments", "readonly", (entries, give) => {
    const request = entries.index("user").getAll(user.id);
    request.addEventListener("success", () => give(request.result));
  });
  return found.sort((one, other) => (one.taken_at < other.taken_at ? 1 : -1));
}

/** If a payment has neither been recorded nor refused. */
export const isOpen = ({ state }) => state === "waiting" || state === "sending";

/** If somebody has to deal with a payment. */
export const needsCare = ({ state }) => state === "refused" || state === "unsure";

/**
 * Keeps a payment to be sent.
 * @param {{loan_id: string, customer: string, pay_ref: string, amount: string, currency: string, paid_on: string}} taken
 */
export async function take(user, taken) {
  const key = newKey();
  const reference = `desk-${key.replaceAll("-", "").slice(0, 12)}`;
  const payment = { ...taken, key, reference, user_id: user.id, taken_at: new Date().toISOString(), state: "waiting", first_sent_at: null };
  try {
    await within("payments", "readwrite", (entries) => entries.add(payment));
  } catch (error) {
    console.warn(error);
    throw new Refusal(507, { detail: t.queue.noRoom });
  }
  changed();
  // Asks the browser not to clear what is not sent; a refusal changes nothing.
  navigator.storage?.persist?.();
  return payment;
}

/** Changes payments by their keys, all or none. */
export async function change(keys, changesOf) {
  await within("payments", "readwrite", (entries) => {
    for (const key of keys) {
      const request = entries.get(key);
      request.addEventListener("success", () => {
        if (request.result) entries.put({ ...request.result, ...changesOf(request.result) });
      });
    }
  });
  changed();
}

/** Forgets a payment. */
export async function remove(key) {
  await within("payments", "readwrite", (entries) => entries.delete(key));
  changed();
}

/** Forgets payments that were recorded long ago, and the collections of others on this device. */
export async function tidy(user) {
  const before = new Date(Date.now() - RECORDED_FOR).toISOString();
  const old = (await payments(user)).filter(({ state, taken_at: at }) => state === "recorded" && at < before);
  await within("payments", "readwrite", (entries) => old.forEach(({ key }) => entries.delete(key)));
  await within("collections", "readwrite", (entries) => {
    const request = entries.getAllKeys();
    request.addEventListener("success", () => request.result.filter((id) => id !== user.id).forEach((id) => entries.delete(id)));
  });
}

/** Keeps the collections of a day, in place of those of another. */
export const keepCollections = (user, on, rows) =>
  within("collections", "readwrite", (entries) => entries.put({ user_id: user.id, on, rows, at: new Date().toISOString() }));

/** The collections that are kept of a day: `{rows, at}`, or nothing. */
export async function keptCollections(user, on) {
  const kept = await within("collections", "readonly", (entries, give) => {
    const request = entries.get(user.id);
    request.addEventListener("success", () => give(request.result));
  });
  return kept?.on === on ? kept : null;
}

/** Forgets the collections of a user, who logs out. */
export const forgetCollections = (user) => within("collections", "readwrite", (entries) => entries.delete(user.id));
