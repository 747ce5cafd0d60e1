/** A calendar: its weekend and holidays, to read and to change. Every version is kept. */
import { call } from "../api.js";
import { tell } from "../dialog.js";
import { DateField, Field, Form, filled, useForm } from "../forms.js";
import { Heading } from "../layout.js";
import { Loaded, refresh, useLoad } from "../load.js";
import { open } from "../router.js";
import { html } from "../ui.js";
import { t } from "../words.js";

const NEW = { name: "", weekend: ["sat", "sun"], holidays: [], covers: null };

function Holidays({ form }) {
  const { holidays } = form.values;
  const change = (place, changes) => form.set("holidays", holidays.map((it, other) => (other === place ? { ...it, ...changes } : it)));
  const remove = (place) => form.set("holidays", holidays.filter((_, other) => other !== place));
  const errors = (place) => form.errors.filter(({ pointer }) => pointer.startsWith(`/holidays/${place}`));
  return html`<fieldset>
    <legend>${t.calendar.holidays}</legend>
    ${holidays.map(
      (it, place) => html`<div class="filters" key=${place}>
        <label class="choice">${t.transaction.on} <input type="date" value=${it.on} onInput=${({ target }) => change(place, { on: target.value })} /></label>
        <label class="choice">${t.product.name} <input value=${it.name} onInput=${({ target }) => change(place, { name: target.value })} /></label>
        <button type="button" class="small" onClick=${() => remove(place)} aria-label=${t.calendar.removeDay(it.name || it.on)}>${t.terms.remove}</button>
        ${errors(place).map(({ pointer, detail }) => html`<p class="error" key=${pointer}>${detail}</p>`)}
      </div>`,
    )}
    <button type="button" class="small" onClick=${() => form.set("holidays", [...holidays, { on: "", name: "" }])}>${t.calendar.add}</button>
  </fieldset>`;
}

function CalendarForm({ code, calendar }) {
  const { name, weekend, holidays, covers } = calendar ?? NEW;
  const initial = { code: code ?? "", name, weekend, holidays, "covers.from": covers?.from ?? "", "covers.to": covers?.to ?? "" };
  const form = useForm(initial, async (values) => {
    const { "covers.from": from, "covers.to": to } = values;
    const body = { ...filled({ name: values.name }), weekend: values.weekend, holidays: values.holidays, covers: from || to ? filled({ from, to }) : null };
    await call("PUT /api/calendars/{code}", { path: { code: values.code }, body, version: calendar?.version });
    if (calendar) refresh();
    else open(`/desk/calendars/${values.code}`);
    tell(t.calendar.saved(values.name));
  });
  const toggle = (day) => form.set("weekend", form.values.weekend.includes(day) ? form.values.weekend.filter((it) => it !== day) : [...form.values.weekend, day]);
  return html`<${Form} form=${form} label=${t.save} class="wide-form">
    ${!calendar && html`<${Field} form=${form} name="code" label=${t.product.code} hint=${t.product.codeHint} autocomplete="off" required />`}
    <${Field} form=${form} name="name" label=${t.product.name} autocomplete="off" />
    <fieldset>
      <legend>${t.calendar.weekend}</legend>
      <div class="filters">
        ${Object.entries(t.calendar.days).map(([day, text]) => html`<label class="box" key=${day}><input type="checkbox" checked=${form.values.weekend.includes(day)} onChange=${() => toggle(day)} /> ${text}</label>`)}
      </div>
      ${form.errorOf("weekend") && html`<p class="error">${form.errorOf("weekend")}</p>`}
    </fieldset>
    <div class="columns">
      <${DateField} form=${form} name="covers.from" label=${t.calendar.coversFrom} hint=${t.calendar.coversHint} optional />
      <${DateField} form=${form} name="covers.to" label=${t.calendar.coversTo} optional />
    </div>
    <${Holidays} form=${form} />
  <//>`;
}

export default function Calendar({ path: { code } }) {
  const found = useLoad(async (signal) => (code ? call("GET /api/calendars/{code}", { path: { code }, signal }) : null), [code]);
  const over = found.data && `${code}, ${t.calendar.version(found.data.version)}`;
  return html`<${Heading} text=${code ? (found.data?.name ?? code) : t.calendar.create} over=${over} />
    <p class="muted">${t.calendar.editAbout}</p>
    <${Loaded} of=${found} lines=${8}>
      ${(calendar) => html`<${CalendarForm} code=${code} calendar=${calendar} key=${calendar?.version} />`}
    <//>`;
}
