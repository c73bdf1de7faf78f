"use strict";
// Stands in the head, so that a chosen theme holds before anything is painted.
// data-theme on <html> is "light" or "dark"; without it the system decides.
(() => {
  let theme = "";
  try { theme = localStorage.getItem("llm-audit-theme") || ""; } catch { /* no storage: auto */ }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
