// Runs before the first paint, so that no page flashes in the wrong colours. Not a module for that reason.
(() => {
  const KEY = "theme";
  const root = document.documentElement;
  const kept = () => {
    try { return localStorage.getItem(KEY); } catch { return null; }
  };
  const show = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  const keep = (theme) => {
    try {
      if (theme === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch { /* Storage is off: the choice holds for this page. */ }
    show(theme);
  };
  const check = () => {
    const chosen = document.querySelector(`input[name="theme"][value="${kept() ?? "system"}"]`);
    if (chosen) chosen.checked = true;
  };

  root.classList.add("js");
  show(kept());
  document.addEventListener("DOMContentLoaded", check);
  document.addEventListener("change", (event) => {
    if (event.target.name === "theme") keep(event.target.value);
  });
  addEventListener("storage", (event) => {
    if (event.key === KEY) { show(event.newValue); check(); }
  });
})();
