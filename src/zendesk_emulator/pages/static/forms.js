// Comforts for forms, none of them needed: add and remove rows, narrow choices, submit on choosing, copy, Ctrl+Enter.
"use strict";

// Address bars should not keep the number of a message that has been shown.
if (location.search.includes("notice=")) {
  const here = new URL(location.href);
  here.searchParams.delete("notice");
  history.replaceState(null, "", here);
}

function fits(option, words) {
  return !words || words.includes(option.value) || option.value === "";
}

// A condition's operators and values depend on its field; without a script all are offered.
function narrow(entry) {
  const field = entry.querySelector("select[data-field]");
  if (!field) return;
  const chosen = field.selectedOptions[0];
  const operators = entry.querySelector("select[data-operators]");
  const values = entry.querySelector("select[data-values]");
  if (operators) {
    operators.everything ??= [...operators.options];
    const words = (chosen?.dataset.operators ?? "").split(" ").filter(Boolean);
    const kept = operators.value;
    operators.replaceChildren(...operators.everything.filter((option) => !words.length || fits(option, words)));
    if ([...operators.options].some((option) => option.value === kept)) operators.value = kept;
    else operators.selectedIndex = 0;
  }
  if (values) {
    values.everything ??= [...values.children];
    const kept = values.selectedOptions[0];
    const group = values.everything.filter((part) => part.dataset.for === field.value || !part.dataset.for);
    values.replaceChildren(...(group.length > 1 ? group : values.everything));
    if (kept && values.contains(kept)) kept.selected = true;
    else values.selectedIndex = Math.min(values.options.length - 1, group.length > 1 ? 1 : 0);
  }
}

const patterns = new Map();
for (const rows of document.querySelectorAll(".rows[id]")) patterns.set(rows.id, rows.lastElementChild.cloneNode(true));
for (const entry of document.querySelectorAll(".rows > .entry")) narrow(entry);

function blank(entry) {
  for (const field of entry.querySelectorAll("input, textarea")) {
    field.value = field.defaultValue = "";
  }
  for (const select of entry.querySelectorAll("select")) select.selectedIndex = 0;
  return entry;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.add) {
    event.preventDefault();
    const rows = document.getElementById(button.dataset.add);
    const entry = blank(patterns.get(rows.id).cloneNode(true));
    rows.append(entry);
    narrow(entry);
    entry.querySelector("input, select").focus();
  } else if (button.matches(".remove")) {
    event.preventDefault();
    const rows = button.closest(".rows");
    if (rows.children.length > 1) button.closest(".entry").remove();
    else blank(button.closest(".entry"));
  } else if (button.matches(".copy")) {
    event.preventDefault();
    await navigator.clipboard.writeText(button.dataset.copy);
    const said = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = said; }, 1500);
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-submits]")) event.target.form.requestSubmit();
  if (event.target.matches("select[data-field]")) narrow(event.target.closest(".entry"));
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea[data-sends]")) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});
