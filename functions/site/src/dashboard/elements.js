/** Parts of the page. What comes from the interface enters them as text and never as markup. */
export const at = (id) => document.getElementById(id);

/** An element with attributes and children; a string among those is text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** A button that says what it does, also to those who do not see its row. */
export function button(text, label, act) {
  const made = element("button", { type: "button", "aria-label": label }, text);
  made.addEventListener("click", act);
  return made;
}

/** A name and its figure, for a `dl`. */
export function figure(name, value, unit = "", kind = "") {
  const small = unit && element("small", {}, ` ${unit}`);
  return element("div", { class: kind }, element("dt", {}, name), element("dd", {}, value, small));
}

/**
 * Fills a row. Each cell carries its column's heading, since on a narrow screen a row is shown as a card; that takes
 * from the table its meaning for assistive technology, which the roles give back.
 * @param {HTMLTableRowElement} row
 * @param {HTMLTableElement} table
 * @param {(string | Node)[]} contents
 */
export function fill(row, table, contents) {
  const headings = [...table.tHead.rows[0].cells];
  const cells = contents.map((content, column) => {
    const heading = headings[column];
    const cell = column === 0 ? element("th", { scope: "row", role: "rowheader" }) : element("td", { role: "cell" });
    cell.className = heading.className;
    cell.dataset.heading = heading.textContent;
    cell.append(content);
    return cell;
  });
  row.setAttribute("role", "row");
  row.replaceChildren(...cells);
}

/** Puts rows into a table, one for each thing. */
export function fillTable(table, things, contents) {
  const rows = things.map((thing) => {
    const row = element("tr");
    fill(row, table, contents(thing, row));
    return row;
  });
  table.tBodies[0].append(...rows);
  return rows;
}

export function nameRoles(table) {
  table.setAttribute("role", "table");
  for (const part of [table.tHead, ...table.tBodies]) part.setAttribute("role", "rowgroup");
  table.tHead.rows[0].setAttribute("role", "row");
  for (const heading of table.tHead.rows[0].cells) {
    heading.setAttribute("role", "columnheader");
    heading.scope = "col";
  }
}

/** A smaller line below a figure. */
export const detail = (text) => element("span", { class: "detail" }, text);

/** Tells what has been done, or that something could not be; an empty text takes the last one away. */
export function tell(text) {
  at("notice").textContent = text;
}
