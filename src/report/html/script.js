"use strict";
(() => {
  const changes = [...document.querySelectorAll(".change")];
  let at = -1;
  const go = (to) => {
    if (!changes.length) return;
    if (at >= 0) changes[at].classList.remove("here");
    at = (to + changes.length) % changes.length;
    const change = changes[at];
    for (let d = change.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
    change.classList.add("here");
    change.setAttribute("tabindex", "-1");
    change.focus({ preventScroll: true });
    change.scrollIntoView({ block: "center" });
  };
  const check = (id) => { const box = document.getElementById(id); if (box) box.checked = true; };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "n" || event.key === "j") go(at + 1);
    else if (event.key === "p" || event.key === "k") go(at < 0 ? -1 : at - 1);
    else if (event.key === "i") check("view-inline");
    else if (event.key === "s") check("view-side");
    else if (event.key === "d") {
      const all = [...document.querySelectorAll(".change details.evidence")];
      const open = all.some((one) => !one.open);
      for (const one of all) one.open = open;
    } else return;
    event.preventDefault();
  });
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let d = target.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
    target.scrollIntoView({ block: "center" });
  };
  window.addEventListener("hashchange", reveal);
  reveal();
})();
