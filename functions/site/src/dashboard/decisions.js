/** Decisions: the buttons that ask for one, and the dialog that asks whether it is meant. */
import { at, button, element, tell } from "./elements.js";
import { words } from "./interface.js";
import { session, view } from "./session.js";

/** The two buttons of what waits for a decision. */
export function decisions(about, decideOn) {
  const choice = (text, action) => {
    const made = button(text, `${text} ${about}`, () => decideOn(action));
    made.classList.add(action);
    return made;
  };
  return element("div", { class: "actions" }, choice("Approve", "approve"), choice("Reject", "reject"));
}

/** What has been done. */
export const decided = (action) => ({ approve: "Approved", reject: "Rejected" })[action];

/**
 * Opens the dialog that asks whether it is meant, and why: to reject needs a reason.
 * @param {"approve" | "reject"} action
 * @param {"loan" | "agent"} what
 * @param {string} about Which one.
 * @param {(reason: string) => Promise<{told: string, show: () => void}>} act Does it, and gives what to tell and to do
 *   once the dialog is closed: while it is open, nothing outside of it takes the focus.
 */
export function askForDecision(action, what, about, act) {
  const verb = { approve: "Approve", reject: "Reject" }[action];
  const reason = at("decision-reason");
  at("decision-title").textContent = `${verb} this ${what}?`;
  at("decision-about").textContent = about;
  at("decision-message").textContent = "";
  at("decision-reason-label").textContent = action === "reject" ? "Reason" : "Reason, if there is one to keep";
  at("decision-confirm").textContent = verb;
  at("decision-confirm").classList.toggle("reject", action === "reject");
  reason.value = "";
  reason.required = action === "reject";
  view.act = act;
  tell("");
  at("decision").showModal();
  reason.focus();
}

export async function decide(event) {
  event.preventDefault();
  const [dialog, confirm, { act }] = [at("decision"), at("decision-confirm"), view];
  confirm.disabled = true;
  try {
    const { told, show } = await act(at("decision-reason").value.trim());
    if (view.act === act) dialog.close();
    show();
    tell(told);
  } catch (error) {
    // After a log-out there is no one to tell.
    if (!session) return;
    const text = words(error);
    if (dialog.open && view.act === act) at("decision-message").textContent = text;
    else tell(text);
  } finally {
    confirm.disabled = false;
  }
}
