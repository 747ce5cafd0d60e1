/** Dialogs, and the line that says what has been done. */
import { place, useStore } from "./router.js";
import { html, store, useEffect, useId, useRef } from "./ui.js";
import { t } from "./words.js";

/** What has been done, in words: shown on top of the page until the next page or another word. */
export const notice = store("");

/** Says what has been done. */
export const tell = (text) => notice.set(text);

// Before the next page is drawn: what a command says after it has opened that page stays.
let { path } = place.get();
place.subscribe((next) => {
  if (next.path !== path) tell("");
  ({ path } = next);
});

/** The dialog that is open: a function that draws it, given what closes it. */
const shown = store(null);

/** Opens a dialog, and gives the focus back to where it was when it closes. */
export function openDialog(draw) {
  shown.set({ draw, from: document.activeElement });
}

/** Closes the dialog. */
export function closeDialog() {
  const from = shown.get()?.from;
  shown.set(null);
  requestAnimationFrame(() => {
    if (document.activeElement && document.activeElement !== document.body) return;
    if (from?.isConnected && !from.disabled) from.focus();
    else document.querySelector("h1")?.focus();
  });
}

/** The place of the dialog that is open. */
export function Dialogs() {
  const dialog = useStore(shown);
  return dialog && html`<${Modal} close=${closeDialog}>${dialog.draw(closeDialog)}<//>`;
}

/**
 * A dialog over the page.
 * @param {{title?: string, close: () => void, children: any, wide?: boolean}} properties
 */
export function Modal({ close, children }) {
  const box = useRef(null);
  const title = useId();
  useEffect(() => {
    const dialog = box.current;
    dialog.showModal();
    dialog.querySelector("input:not(.hidden), select, textarea, button")?.focus();
    const heading = dialog.querySelector("h2");
    if (heading) {
      heading.id = title;
      dialog.setAttribute("aria-labelledby", title);
    }
    return () => dialog.close();
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    close();
  };
  return html`<dialog ref=${box} onCancel=${cancel}>${children}</dialog>`;
}

/** What has been done. */
export function Notice() {
  const text = useStore(notice);
  return html`<div class=${text ? "notice shown" : "notice"} role="status" aria-live="polite">
    ${text && html`<p>${text}</p><button type="button" class="quiet" onClick=${() => tell("")}>${t.close}</button>`}
  </div>`;
}
