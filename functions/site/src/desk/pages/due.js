/** The amounts of a loan that are due. */
import { isZero, sum } from "../format.js";

/** If money has moved on it. */
export const isPaidOut = (loan) => ["disbursed", "repaid", "defaulted"].includes(loan.status);

/** The amounts of a schedule that are overdue, due on its day, and next. */
export function dueOf(schedule) {
  const open = schedule.rows.filter((row) => !isZero(row.outstanding));
  const total = (rows) => sum(rows.map((row) => row.outstanding));
  const overdue = open.filter((row) => row.due_on < schedule.as_of);
  const due = open.filter((row) => row.due_on === schedule.as_of);
  const next = open.find((row) => row.due_on > schedule.as_of);
  return { overdue: total(overdue), due: total(due), both: total([...overdue, ...due]), next, currency: schedule.currency };
}
