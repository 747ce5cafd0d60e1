/** The commands on a loan: which of them its status and one's role allow. Each opens a dialog. */
import { openLazily } from "../people.js";
import { html, useRef } from "../ui.js";
import { isZero } from "../format.js";
import { t } from "../words.js";

const DECIDE = () => import("./commands-decide.js");
const SERVICE = () => import("./commands-service.js");
const CUSTOMERS = () => import("./customer-commands.js");

/** A command: its name in the words, its module, and if it belongs in front. */
const command = (name, load, kind = "") => ({ name, load, kind });

/** The commands that a user may give on a loan as it is. */
export function commandsOf(loan, user) {
  const { role, id } = user;
  const isIts = role === "customer" || loan.agent_id === id;
  const all = {
    approve: role === "admin" && loan.status === "pending" && ![loan.created_by, loan.edited_by].includes(id),
    reject: role === "admin" && loan.status === "pending" && ![loan.created_by, loan.edited_by].includes(id),
    edit: role === "agent" && ["pending", "rejected"].includes(loan.status),
    forward: role === "agent" && loan.status === "pending" && !loan.agent_id,
    disburse: role === "admin" && loan.status === "approved",
    undoApproval: role === "admin" && loan.status === "approved",
    repay: role !== "customer" && ["disbursed", "defaulted"].includes(loan.status),
    refund: role === "admin" && !isZero(loan.held) && ["disbursed", "repaid", "defaulted"].includes(loan.status),
    charge: role === "admin" && loan.status === "disbursed",
    waive: role === "admin" && loan.status === "disbursed",
    reschedule: role === "admin" && loan.status === "disbursed",
    writeOff: role === "admin" && loan.status === "disbursed",
    assign: role === "admin" && ["pending", "approved", "disbursed", "defaulted"].includes(loan.status),
    withdraw: isIts && role !== "admin" && ["pending", "approved"].includes(loan.status),
  };
  return COMMANDS.filter(({ name }) => all[name]);
}

const COMMANDS = [
  command("approve", DECIDE, "primary"),
  command("reject", DECIDE, "danger front"),
  command("forward", DECIDE, "primary"),
  command("edit", DECIDE, "front"),
  command("disburse", SERVICE, "primary"),
  command("repay", SERVICE, "primary"),
  command("refund", SERVICE, "front"),
  command("charge", SERVICE),
  command("waive", SERVICE),
  command("reschedule", SERVICE),
  command("assign", CUSTOMERS),
  command("undoApproval", DECIDE),
  command("withdraw", DECIDE, "danger"),
  command("writeOff", SERVICE, "danger"),
];

export function Commands({ loan, user }) {
  const menu = useRef(null);
  const commands = commandsOf(loan, user);
  const isInFront = ({ kind }) => kind.includes("primary") || kind.includes("front");
  const give = ({ name, load }) => {
    if (menu.current) menu.current.open = false;
    openLazily(load, { name, loan, user });
  };
  const button = (it) =>
    html`<button key=${it.name} type="button" class=${it.kind} onClick=${() => give(it)}>${t.commands[it.name]}</button>`;
  const others = commands.filter((it) => !isInFront(it));
  const front = commands.filter(isInFront);
  const isOwn = user.role === "admin" && loan.status === "pending" && front.length === 0;
  return html`${isOwn && html`<p class="muted">${t.commands.own}</p>`} ${front.map(button)}
    ${others.length > 0 &&
    (front.length === 0
      ? others.map(button)
      : html`<details class="menu" ref=${menu}>
          <summary>${t.commands.more}</summary>
          <div>${others.map(button)}</div>
        </details>`)}`;
}
