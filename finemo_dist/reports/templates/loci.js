// A page of loci and nothing else.
(async () => {
  const root = document.documentElement;
  const held = await unpacked(JSON.parse(document.getElementById("data").textContent).packed);
  new LocusViewer(document.querySelector("[data-locus]"), held, "locus");
  document.getElementById("theme").addEventListener("click", () => {
    const isDark = getComputedStyle(root).getPropertyValue("color-scheme").trim() === "dark";
    root.dataset.theme = isDark ? "light" : "dark";
    try { localStorage.setItem("finemo-dist-theme", root.dataset.theme); } catch { /* holds until the page is closed */ }
  });
  root.dataset.ready = String(Math.round(performance.now()));
})();
