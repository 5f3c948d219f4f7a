// On a narrow screen the rail and the tabs scroll sideways: the place where one is is
// brought into view.
const show = () => {
  for (const at of document.querySelectorAll(".vg-nav [aria-current], .vg-tabs [aria-current], .vg-chips [aria-current]")) {
    const bar = at.closest("ul");
    bar.scrollLeft = at.offsetLeft - bar.offsetLeft - (bar.clientWidth - at.offsetWidth) / 2;
  }
};
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
else show();
window.addEventListener("resize", show);
