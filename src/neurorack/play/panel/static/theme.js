// Dark or light: as the system says, or as chosen here, which is remembered. Runs before the page is drawn.

(() => {
  const KEY = "neurorack-theme";
  const system = matchMedia("(prefers-color-scheme: light)");
  const remembered = () => {
    try {
      return localStorage.getItem(KEY) || "";
    } catch {
      return "";
    }
  };
  const apply = () => {
    const theme = remembered() || (system.matches ? "light" : "dark");
    document.documentElement.dataset.theme = theme;
    document.dispatchEvent(new Event("theme"));
  };
  system.addEventListener("change", apply);
  document.addEventListener("toggle-theme", () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      if (next === (system.matches ? "light" : "dark")) localStorage.removeItem(KEY); // back to the system's
      else localStorage.setItem(KEY, next);
    } catch {
      // a browser that remembers nothing still changes
    }
    document.documentElement.dataset.theme = next;
    document.dispatchEvent(new Event("theme"));
  });
  apply();
})();
