// Pages under the knobs, with tabs; only the one that is seen draws. On a phone the tabs are at the bottom.

import { $, make, makeSvg } from "./dom.js";
import { closeMenu } from "./menu.js";

const TITLES = { play: "Play", source: "Source", mod: "Modulation", voice: "Voice", presets: "Presets", make: "Make", setup: "Setup" };
const ICONS = {
  play: "M4 12h3l2-6 4 12 3-9 1.5 3H20",
  source: "M3 12h2M7 8v8M11 5v14M15 8v8M19 11v2",
  mod: "M3 12c3-9 6-9 9 0s6 9 9 0",
  voice: "M9 18V5l10-2v13M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Zm10-2a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z",
  presets: "M4 6h16M4 12h16M4 18h10",
  make: "M12 4a3 3 0 0 1 3 3v4a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3ZM6 11a6 6 0 0 0 12 0M12 17v3",
  setup: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
};

export class Pages {
  // makers: name -> () => a page with nodes and draw().
  constructor(makers) {
    this.makers = makers;
    this.pages = {};
    this.shown = "play";
    this.tabs = {};
    for (const [name, title] of Object.entries(TITLES)) {
      const icon = makeSvg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
      icon.append(makeSvg("path", { d: ICONS[name] }));
      const tab = make("button", {
        type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `page-${name}`, "aria-selected": String(name === "play"), "data-tab": name,
      });
      tab.append(icon, make("span", { text: title, "data-short": title.slice(0, title === "Modulation" ? 3 : 10) }));
      tab.addEventListener("click", () => this.show(name));
      tab.addEventListener("keydown", (event) => this.arrow(event, name));
      this.tabs[name] = tab;
      $("tabs").append(tab);
    }
    this.focusable();
  }

  // Another instrument: what a page shows is built again.
  configure() {
    this.pages = {};
    this.ensure();
  }

  show(name) {
    closeMenu();
    this.shown = name;
    for (const other of Object.keys(TITLES)) {
      $(`page-${other}`).hidden = other !== name;
      this.tabs[other].setAttribute("aria-selected", String(other === name));
    }
    $("face").dataset.page = name;
    this.focusable();
    this.ensure();
    if (innerWidth <= 620) scrollTo(0, 0);
  }

  ensure() {
    const name = this.shown;
    if (this.pages[name] || !this.makers[name]) return;
    this.pages[name] = this.makers[name]();
    $(`page-${name}`).replaceChildren(...this.pages[name].nodes.map((part) => part.node || part));
  }

  focusable() {
    for (const [name, tab] of Object.entries(this.tabs)) tab.tabIndex = name === this.shown ? 0 : -1;
  }

  arrow(event, name) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const names = Object.keys(TITLES);
    const next = names[(names.indexOf(name) + step + names.length) % names.length];
    this.show(next);
    this.tabs[next].focus();
    event.preventDefault();
  }

  draw(now) {
    const page = this.pages[this.shown];
    if (page) page.draw(now);
  }
}
