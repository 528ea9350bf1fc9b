// Before anything is drawn: what works with scripts may show, and the chosen theme holds.
document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("finemo-dist-theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is closed to some pages from disk; the system's theme holds.
}
