"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const themes = ["system", "light", "dark"];
  let theme = "system";
  // A file opened from a disk may have no storage; the choice then lasts as long as the page.
  try { theme = themes.includes(localStorage.getItem("edge-theme")) ? localStorage.getItem("edge-theme") : theme; } catch { }
  const apply = () => {
    if (theme === "system") root.removeAttribute("data-theme"); else root.setAttribute("data-theme", theme);
    button.textContent = "Theme: " + theme;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    try { localStorage.setItem("edge-theme", theme); } catch { }
    apply();
  });
  apply();

  for (const chooser of document.querySelectorAll("[data-chooser]")) {
    const panels = [...chooser.children].filter((child) => child.hasAttribute("data-panel"));
    const show = (chosen) => { for (const panel of panels) panel.hidden = panel.dataset.panel !== chosen; };
    chooser.classList.add("live");
    for (const input of chooser.querySelectorAll(":scope > fieldset input")) {
      input.addEventListener("change", () => show(input.value));
      if (input.checked) show(input.value);
    }
  }

  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const id of links.keys()) { const part = document.getElementById(id); if (part) seen.observe(part); }
})();
