/** The second factor: beside a password, once the server asks for it. */
import { Field, useForm } from "./forms.js";
import { html, useEffect, useState } from "./ui.js";
import { t } from "./words.js";

/**
 * The state of a form whose password may need a code beside it. What the server refuses is to be typed again.
 * @param {Record<string, string>} initial As `useForm` has it, without the code.
 * @param {string} password The field of the password.
 * @param {(values: Record<string, string>) => Promise<void>} send Its values have `totp` once one was typed.
 */
export function useCodedForm(initial, password, send) {
  const [isAsked, setAsked] = useState(false);
  const form = useForm({ ...initial, totp: "" }, async ({ totp, ...values }) => {
    try {
      await send(totp ? { ...values, totp } : values);
      form.set("totp", "");
    } catch (error) {
      if (error.code === "totp_required") {
        setAsked(true);
        if (!isAsked) return;
      } else {
        form.set(error.code === "totp_invalid" ? "totp" : password, "");
      }
      throw error;
    }
  });
  return { form, isAsked };
}

/** The field for a code, which has the focus when it comes. */
export function Code({ form, name = "totp", label = t.code.label, hint = t.code.hint }) {
  useEffect(() => form.element.current?.querySelector(`input[name=${name}]`)?.focus(), []);
  return html`<${Field} form=${form} name=${name} label=${label} hint=${hint} autocomplete="one-time-code" autocapitalize="none" />`;
}
