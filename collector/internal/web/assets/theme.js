// Light or dark as the person chose, else as the system has it, and again when the
// system changes its mind.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const apply = () => document.documentElement.setAttribute("data-bs-theme", document.documentElement.dataset.vgTheme || (dark.matches ? "dark" : "light"));
apply();
dark.addEventListener("change", apply);
