// Buttons that copy a text; without a script the text is there to be selected.
const show = () => {
  if (!navigator.clipboard) return;
  for (const b of document.querySelectorAll("button[data-copy]")) b.hidden = false;
};
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
else show();

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.firstChild.textContent = button.dataset.copied;
  } catch {
    getSelection().selectAllChildren(text); // not allowed: at least it is chosen
  }
});
