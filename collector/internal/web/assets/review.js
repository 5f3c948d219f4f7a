// The review of findings by keys: j and k move, x marks, a n s decide, u takes the last
// step back, ? shows the keys. They only press buttons that are on the page; without this
// script people press them themselves.
const OFF = "vigia-review-keys-off";

const rows = () => [...document.querySelectorAll("[data-review] tr[data-row]")];
const current = () => document.activeElement?.closest?.("tr[data-row]");

const go = (row) => {
  if (!row) return;
  const box = row.querySelector("input[name=row]");
  box.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
};

const move = (by) => {
  const all = rows();
  const at = all.indexOf(current());
  go(at < 0 ? all[by > 0 ? 0 : all.length - 1] : all[Math.min(all.length - 1, Math.max(0, at + by))]);
};

// press presses the button of all marked rows, else that of the row with the focus.
const press = (what) => {
  const form = document.querySelector("[data-review] form.vg-bulk");
  if (!form) return;
  const marked = rows().filter((r) => r.querySelector("input[name=row]").checked);
  const row = current();
  const button = marked.length ? form.querySelector(`[data-bulk="${what}"]`) : row?.querySelector(`[data-do="${what}"]`);
  if (!button) return;
  form.elements.at.value = (marked[0] || row).dataset.row;
  button.click();
};

const keys = {
  j: () => move(1),
  k: () => move(-1),
  x: () => current()?.querySelector("input[name=row]").click(),
  a: () => press("a"),
  n: () => press("n"),
  s: () => press("s"),
  u: () => document.querySelector("[data-undo]")?.click(),
  "?": () => {
    const menu = document.querySelector("[data-keys]");
    menu.open = !menu.open;
    if (menu.open) menu.querySelector("summary").focus();
  },
};

document.addEventListener("keydown", (event) => {
  if (!document.querySelector("[data-review]") || event.ctrlKey || event.metaKey || event.altKey || event.repeat && "ans".includes(event.key)) return;
  const e = event.target;
  if (e.matches?.("textarea, select, [contenteditable]") || (e.matches?.("input") && !["checkbox", "radio", "button", "submit"].includes(e.type))) return;
  if (event.key !== "?" && localStorage.getItem(OFF)) return;
  const does = keys[event.key];
  if (!does) return;
  event.preventDefault();
  does();
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-keys-on]")) return;
  if (event.target.checked) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
});

// A click on a row's own button remembers the line too.
document.addEventListener("click", (event) => {
  const row = event.target.closest?.("[data-review] tr[data-row]");
  if (row && event.target.closest("button")) row.closest("form").elements.at.value = row.dataset.row;
});

const ready = () => {
  const list = document.querySelector("[data-review]");
  if (!list) return;
  for (const e of document.querySelectorAll("[data-keys] [data-script]")) e.hidden = false;
  const on = document.querySelector("[data-keys-on]");
  if (on) on.checked = !localStorage.getItem(OFF);
  if (list.dataset.at) {
    const all = rows();
    go(all[Math.min(all.length - 1, Number(list.dataset.at))]);
  }
};
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
else ready();
