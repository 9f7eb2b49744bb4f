// list.js: all instances, what is wrong first.

import { badness, keyOf, reasonOf, store } from "./store.js";
import { make, put, tone } from "./words.js";
import { Row } from "./row.js";

const first = 40; // rows that are made at once: more than a screen has
const chunk = 120; // rows that are made at a time afterwards
const phases = ["failed", "degraded", "starting", "stopping", "creating", "removing", "to_be_created", "removed", "stopped", "done", "running"];

const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.kind < b.kind ? -1 : 1);
const time = (text) => (text ? Date.parse(text) : Infinity);

// columns are what the list can be sorted by; up is how one that is chosen begins.
const columns = [
  { name: "name", title: "Name", up: true, by: byName },
  { name: "state", title: "State", up: false, by: (a, b) => badness(a) - badness(b) || phases.indexOf(b.phase) - phases.indexOf(a.phase) },
  { name: "span", title: "For", up: true, by: (a, b) => time(b.since) - time(a.since) || 0 },
  { name: "process", title: "Process", up: true, by: (a, b) => time(b.up) - time(a.up) || 0 },
  { name: "restarts", title: "Restarts", up: false, by: (a, b) => (a.restarts ?? 0) - (b.restarts ?? 0) },
  { name: "traffic", title: "Throughput", up: false, by: (a, b) => (a.traffic?.sentRate ?? -1) - (b.traffic?.sentRate ?? -1) },
  { name: "reason", title: "Reason", up: true, by: (a, b) => reasonOf(a).localeCompare(reasonOf(b)) },
];

const at = (id) => document.getElementById(id);

// List is the list of all instances.
export class List {
  #rows = new Map(); // by key
  #column = columns[1];
  #up = false;
  #phase = "";
  #words = [];
  #frame = 0;
  #later = 0;
  #changed = new Set();
  #chips = new Map();
  #shown = false;
  #near = new IntersectionObserver((all) => this.#see(all), { rootMargin: "400px" });

  constructor() {
    for (const c of columns) {
      c.button = make("button", { type: "button" }, c.title, make("span", { class: "arrow", "aria-hidden": "true" }));
      c.button.addEventListener("click", () => this.#sort(c));
      c.header = make("th", { role: "columnheader", scope: "col", class: c.name }, c.button);
      at("columns").append(c.header);
    }
    at("filter").addEventListener("input", () => this.#find(at("filter").value));
    store.addEventListener("change", (e) => {
      for (const key of e.detail) this.#changed.add(key);
      this.#soon();
    });
    setInterval(() => this.#tick(), 1000);
    this.#mark();
  }

  // show shows the list, or hides it.
  show(is) {
    this.#shown = is;
    at("list").hidden = !is;
    if (is) this.#soon();
  }

  // focus returns to the row of an instance.
  focus(key) {
    this.#arrange(Infinity);
    this.#rows.get(key)?.link.focus();
  }

  #sort(column) {
    this.#up = column === this.#column ? !this.#up : column.up;
    this.#column = column;
    this.#mark();
    this.#arrange(first);
  }

  #mark() {
    for (const c of columns) {
      const is = c === this.#column;
      c.header.setAttribute("aria-sort", !is ? "none" : this.#up ? "ascending" : "descending");
    }
  }

  #find(text) {
    this.#words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.#arrange(first);
  }

  #choose(phase) {
    this.#phase = this.#phase === phase ? "" : phase;
    this.#arrange(first);
  }

  #matches(one) {
    if (this.#phase && one.phase !== this.#phase) return false;
    if (!this.#words.length) return true;
    const text = [one.name, one.kind, one.state, one.phase, reasonOf(one)].join(" ").toLowerCase();
    return this.#words.every((w) => text.includes(w));
  }

  #soon() {
    if (this.#frame || !this.#shown) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      for (const key of this.#changed) {
        const one = store.all.get(key);
        const row = this.#rows.get(key);
        if (one && row) row.update(one);
        else if (row) this.#drop(key, row);
      }
      this.#changed.clear();
      this.#arrange(first);
    });
  }

  #drop(key, row) {
    this.#near.unobserve(row.tr);
    row.tr.remove();
    this.#rows.delete(key);
  }

  // arrange has the rows that are to be seen in their order. It makes so many that are
  // missing, and the others later, a few at a time.
  #arrange(budget) {
    clearTimeout(this.#later);
    const body = at("rows");
    const focused = body.contains(document.activeElement) ? document.activeElement : null;
    const all = [...store.all.values()].filter((one) => this.#matches(one));
    const turn = this.#up ? 1 : -1;
    all.sort((a, b) => turn * this.#column.by(a, b) || byName(a, b));
    const shown = new Set();
    let next = body.firstElementChild;
    let done = true;
    for (const one of all) {
      const key = keyOf(one);
      let row = this.#rows.get(key);
      if (!row && budget-- <= 0) {
        done = false;
        break;
      }
      if (!row) row = this.#add(key, one);
      shown.add(row.tr);
      if (row.tr === next) next = next.nextElementSibling;
      else body.insertBefore(row.tr, next);
    }
    for (const row of this.#rows.values()) row.tr.hidden = !shown.has(row.tr);
    if (focused && document.activeElement !== focused) focused.focus({ preventScroll: true });
    this.#count(all.length);
    if (!done) this.#later = setTimeout(() => this.#arrange(chunk), 0);
    if (store.loaded) this.#reach(done ? "rows-all" : "rows-first");
  }

  // reach marks for those who measure when something was reached first.
  #reach(mark) {
    if (!performance.getEntriesByName(mark).length) performance.mark(mark);
  }

  #add(key, one) {
    const row = new Row(one);
    row.tr.row = row;
    this.#rows.set(key, row);
    this.#near.observe(row.tr);
    return row;
  }

  #see(all) {
    for (const { target, isIntersecting } of all) {
      target.row.seen = isIntersecting;
      if (isIntersecting) target.row.draw();
    }
  }

  #tick() {
    if (!this.#shown || document.hidden) return;
    for (const row of this.#rows.values()) {
      if (row.seen) row.tick();
    }
  }

  // count shows how many there are in each phase, and how many are shown.
  #count(shown) {
    const counts = new Map();
    for (const one of store.all.values()) counts.set(one.phase, (counts.get(one.phase) ?? 0) + 1);
    this.#chip("", "all", store.all.size);
    for (const phase of phases) this.#chip(phase, phase.replaceAll("_", " "), counts.get(phase) ?? 0);
    const all = store.all.size;
    put(at("shown"), shown === all ? "" : `${shown} of ${all}`);
    at("nothing").hidden = shown > 0 || !store.loaded;
    put(at("nothing"), all ? "No instance matches." : "There are no instances: nothing is declared.");
  }

  #chip(phase, title, n) {
    let chip = this.#chips.get(phase);
    if (!chip) {
      if (!n && phase) return;
      chip = make("button", { type: "button", class: "chip", "data-tone": phase ? tone(phase) : "all" }, make("span", { class: "count" }), title);
      chip.addEventListener("click", () => this.#choose(phase));
      this.#chips.set(phase, chip);
      const after = phases.slice(phases.indexOf(phase) + 1).map((p) => this.#chips.get(p)).find(Boolean);
      at("phases").insertBefore(chip, phase ? (after ?? null) : at("phases").firstChild);
    }
    put(chip.firstChild, String(n));
    chip.hidden = !n && phase !== "" && phase !== this.#phase;
    chip.setAttribute("aria-pressed", String(phase === this.#phase));
  }
}
