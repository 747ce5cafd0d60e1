/** Words and figures for readers. */
/** The name of the lender's time zone, which the page comes with. */
const ZONE = document.documentElement.dataset.timeZone;

/**
 * An amount or a count with its thousands set apart: "1234567.50" is "1,234,567.50".
 * @param {string | number} value
 */
export function grouped(value) {
  const [whole, fraction] = String(value).split(".");
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

/**
 * A fraction as a percentage, by moving the point: "0.0425" is "4.25 %". Where there is none, a dash.
 * @param {string | null} share
 */
export function percent(share) {
  if (share === null) return "–";
  const [whole, fraction = ""] = String(share).split(".");
  const digits = fraction.padEnd(2, "0");
  const integer = (whole + digits.slice(0, 2)).replace(/^0+(?=\d)/, "");
  return digits.length > 2 ? `${integer}.${digits.slice(2)} %` : `${integer} %`;
}

/** Whether an amount is more than nothing. */
export const isSome = (amount) => /[1-9]/.test(amount);

/** "1 loan", "1,200 loans". */
export const loansOf = (count) => `${grouped(count)} ${count === 1 ? "loan" : "loans"}`;

/** Splits instants into date, time and zone at the lender's; in UTC where the browser does not know the zone. */
const clock = (() => {
  const numeric = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
  const format = (timeZone) =>
    new Intl.DateTimeFormat("en-GB", { ...numeric, hourCycle: "h23", timeZoneName: "short", timeZone });
  try {
    return format(ZONE);
  } catch {
    return format("UTC");
  }
})();

/** An instant to the minute for the lender: "2026-03-02T09:30:00.000000Z" is "2026-03-02 12:30 GMT+3" in Nairobi. */
export function minute(instant) {
  const parts = clock.formatToParts(new Date(instant)).map(({ type, value }) => [type, value]);
  const { year, month, day, hour, minute: minutes, timeZoneName } = Object.fromEntries(parts);
  return `${year}-${month}-${day} ${hour}:${minutes} ${timeZoneName}`;
}

/** How often a loan's instalments are due: "monthly", "every 2 weeks". */
export function rhythm({ repay_every: every, repay_unit: unit }) {
  if (every > 1) return `every ${every} ${unit}s`;
  return { day: "daily", week: "weekly", month: "monthly" }[unit];
}
