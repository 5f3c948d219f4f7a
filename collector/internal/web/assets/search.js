// The console's search box: "/" goes there, the arrows walk through what was found,
// Enter opens it, Escape closes. Without this script it is a plain form.
const box = () => document.querySelector("#find") || document.querySelector("input[type=search]");

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  const find = box();
  if (!find) return;
  event.preventDefault();
  find.focus();
  find.select();
});

const start = () => {
  const find = document.querySelector("#find");
  const found = document.querySelector("#found");
  if (!find || !found) return;
  let at = -1;
  const options = () => [...found.querySelectorAll("[role=option]")];
  const mark = (i) => {
    const list = options();
    at = list.length ? (i + list.length) % list.length : -1;
    list.forEach((o, n) => o.setAttribute("aria-selected", n === at ? "true" : "false"));
    if (at < 0) find.removeAttribute("aria-activedescendant");
    else {
      find.setAttribute("aria-activedescendant", list[at].id);
      list[at].scrollIntoView({ block: "nearest" });
    }
  };
  const close = () => found.replaceChildren();
  find.setAttribute("role", "combobox");
  find.setAttribute("aria-autocomplete", "list");
  find.setAttribute("aria-expanded", "false");
  new MutationObserver(() => {
    const open = options().length > 0;
    find.setAttribute("aria-expanded", String(open));
    if (open) find.setAttribute("aria-controls", "found-list");
    else find.removeAttribute("aria-controls");
    at = -1;
    find.removeAttribute("aria-activedescendant");
  }).observe(found, { childList: true, subtree: true });
  find.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at < 0 ? -1 : at - 1);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" && at >= 0) options()[at].click();
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".vg-find")) close();
  });
};
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
