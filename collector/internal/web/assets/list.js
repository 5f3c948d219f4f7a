// What lists have besides with a script: all rows at once, how many are chosen, menus
// that close, and addresses without empty filters.
const boxes = (form) => [...form.querySelectorAll("input[name=row]")];

const tell = (form) => {
  const status = form.querySelector("[data-chosen]");
  status.dataset.none ??= status.textContent;
  const n = boxes(form).filter((b) => b.checked).length;
  status.textContent = n ? `${n} ${status.dataset.chosen}` : status.dataset.none;
  const all = form.querySelector("input[data-all]");
  all.checked = n > 0 && n === boxes(form).length;
  all.indeterminate = n > 0 && !all.checked;
  for (const button of form.querySelectorAll(".vg-bulk-bar button")) button.disabled = n === 0;
};

const ready = () => {
  for (const form of document.querySelectorAll(".vg-bulk")) {
    for (const e of form.querySelectorAll("[data-all]")) e.hidden = false;
    tell(form);
  }
};
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
else ready();
document.addEventListener("htmx:after:swap", ready);

document.addEventListener("change", (event) => {
  const form = event.target.closest(".vg-bulk");
  if (!form) return;
  if (event.target.matches("[data-all]")) for (const b of boxes(form)) b.checked = event.target.checked;
  tell(form);
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.vg-menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest("details.vg-menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.addEventListener("submit", (event) => {
  if (event.target.method !== "get") return;
  for (const field of event.target.querySelectorAll("select, input")) {
    if (field.name && !field.value && field.name !== "q") field.disabled = true;
  }
});
