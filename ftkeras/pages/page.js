"use strict";
// The page is complete without this: it sorts and filters tables, and moves sliders.
// Rows from which a table has a filter, and rows and pixels from which it scrolls in a box.
const LONG = 15, TALL = 30, HIGH = 1600;
const compare = new Intl.Collator(undefined, {numeric: true}).compare;

function key(row, column) {
  const cell = row.cells[column];
  return cell.dataset.sort === undefined ? cell.textContent : cell.dataset.sort;
}

function sort(table, column, head) {
  const falls = head.getAttribute("aria-sort") !== "descending" && head.classList.contains("number")
    || head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", falls ? "descending" : "ascending");
  const isNumber = head.classList.contains("number");
  const rows = [...table.tBodies[0].rows].map((row) => [key(row, column), row]);
  rows.sort(([one], [other]) => {
    if (one === "" || other === "") return (one === "") - (other === "");  // unknown ones last
    const order = isNumber ? Number(one) - Number(other) : compare(one, other);
    return falls ? -order : order;
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

for (const figure of document.querySelectorAll(".table")) {
  const table = figure.querySelector("table");
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, column, head));
    head.append(button);
  });
  if (table.tBodies[0].rows.length <= LONG) continue;
  if (table.tBodies[0].rows.length > TALL || table.offsetHeight > HIGH) figure.classList.add("tall");
  const line = document.createElement("div"), count = document.createElement("output");
  line.className = "filtering";
  const input = document.createElement("input");
  input.type = "search";
  input.className = "filter";
  input.placeholder = "Filter rows";
  input.setAttribute("aria-label", "Filter rows of: " + figure.querySelector("figcaption").textContent);
  const filter = () => {
    const wanted = input.value.toLowerCase(), rows = [...table.tBodies[0].rows];
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    const left = rows.filter((row) => !row.hidden).length;
    count.textContent = left === rows.length ? `${left} rows` : `${left} of ${rows.length} rows`;
  };
  input.addEventListener("input", filter);
  line.append(input, count);
  figure.querySelector(".scroll").before(line);
  filter();
}

for (const figure of document.querySelectorAll(".slider")) {
  const sets = JSON.parse(figure.dataset.sets), starts = JSON.parse(figure.dataset.starts);
  const names = Object.keys(sets), several = names.length > 1;
  const body = figure.querySelector("tbody"), row = body.rows[0];
  while (body.rows.length > 1) body.deleteRow(1);
  const control = document.createElement("div"), range = document.createElement("input");
  const select = document.createElement("select");
  control.className = "control";
  range.type = "range";
  range.min = 0;
  range.setAttribute("aria-label", figure.querySelector("figcaption").textContent);
  select.setAttribute("aria-label", "of");
  for (const name of names) select.append(new Option(name, name));
  const show = () => {
    const shown = several ? [select.value, ...sets[select.value][range.value]] : sets[select.value][range.value];
    shown.forEach((text, column) => { row.cells[column].textContent = text; });
  };
  const choose = () => {
    range.max = sets[select.value].length - 1;
    range.value = starts[select.value];
    show();
  };
  range.addEventListener("input", show);
  select.addEventListener("change", choose);
  if (several) control.append(select);
  control.append(range);
  figure.querySelector("figcaption").after(control);
  choose();
}
