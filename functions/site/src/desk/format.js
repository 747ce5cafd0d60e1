/** Amounts, rates, dates in the reader's language. Amounts are strings and stay exact: none becomes a float. */
import { clock } from "./api.js";
import { html } from "./ui.js";
import { t } from "./words.js";

/** The lender's time zone: business dates and times are shown in it. */
export const ZONE = document.documentElement.dataset.zone ?? "UTC";

const formats = new Map();

function numbers(digits) {
  if (!formats.has(digits)) {
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    formats.set(digits, new Intl.NumberFormat(undefined, options));
  }
  return formats.get(digits);
}

/** An amount or a count with its thousands apart, and as many decimals as it has. */
export function number(value) {
  if (value === null || value === undefined) return t.none;
  const text = String(value);
  return numbers((text.split(".")[1] ?? "").length).format(text);
}

/** An amount with its currency. */
export const amount = (value, currency) => `${number(value)} ${currency}`;

/** An amount with its currency beside it, smaller. */
export const Amount = ({ of, currency }) =>
  html`<span class="amount">${number(of)}${currency && html` <small>${currency}</small>`}</span>`;

/** A share of one, such as `0.0425`, in percent with two decimals. */
export function percent(share) {
  if (share === null || share === undefined) return t.none;
  const hundredths = divided(scaled(share, 8), 10n ** 4n);
  return `${numbers(2).format(`${hundredths / 100n}.${String(hundredths % 100n).padStart(2, "0")}`)} %`;
}

/** A quotient, rounded half up. */
const divided = (value, by) => (value + by / 2n) / by;

/** A decimal number as so many smallest parts. */
function scaled(text, digits) {
  const [whole, fraction = ""] = String(text).split(".");
  return BigInt(whole + fraction.padEnd(digits, "0").slice(0, digits));
}

/** The sum of amounts of one currency, exactly. */
export function sum(amounts) {
  const digits = Math.max(0, ...amounts.map((text) => (String(text).split(".")[1] ?? "").length));
  const total = amounts.reduce((all, text) => all + scaled(text, digits), 0n);
  const text = String(total).padStart(digits + 1, "0");
  return digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text;
}

/** If an amount is nothing. */
export const isZero = (text) => !/[1-9]/.test(String(text));

/** A rate a year. */
export const rate = (value) => (value === null || value === undefined ? t.none : `${number(value)} %`);

const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const instants = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: ZONE });
const isoDates = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone: ZONE });

/** A business date. */
export const date = (text) => (text ? dates.format(new Date(`${text}T00:00:00Z`)) : t.none);

/** An instant, to the minute, on the lender's clock. */
export const minute = (text) => (text ? instants.format(new Date(text)) : t.none);

/** The lender's date today, by the server's clock where the device's is wrong. */
export const today = () => isoDates.format(new Date(Date.now() + clock.behind));

/** The lender's date of an instant. */
export const dayOf = (instant) => isoDates.format(new Date(instant));

/** Days added to a business date. */
export function addDays(text, days) {
  const day = new Date(`${text}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + days);
  return day.toISOString().slice(0, 10);
}

/** How often a loan is repaid. */
export function rhythm({ repay_every: every, repay_unit: unit }) {
  return every === 1 ? t.rhythm[unit] : t.rhythm.every(every, unit);
}

/** How a loan is repaid: `6 × 2,250.00, monthly`. */
export const plan = (loan) => `${loan.terms.instalments} × ${number(loan.instalment)}, ${rhythm(loan.terms)}`;

/** How late a loan is. */
export const late = (days) => (days > 0 ? t.late(days) : t.onTime);

/** The last second of a business date, as an instant. */
export function endOf(day) {
  const guess = Date.parse(`${addDays(day, 1)}T00:00:00Z`);
  const named = new Intl.DateTimeFormat("en", { timeZone: ZONE, timeZoneName: "longOffset" }).formatToParts(guess);
  const [, sign = "+", hours = "0", minutes = "0"] =
    named.find(({ type }) => type === "timeZoneName").value.match(/([+-])(\d+):(\d+)/) ?? [];
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === "-" ? -1 : 1);
  return new Date(guess - offset - 1000).toISOString().replace(".000Z", "Z");
}
