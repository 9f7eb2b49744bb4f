// instance.js: all that is shown of one instance.

import { get, path } from "./ask.js";
import { files, value } from "./files.js";
import { Log } from "./log.js";
import { kindOf, Machine } from "./machine.js";
import { keyOf, store } from "./store.js";
import { Spark } from "./spark.js";
import { badge, clock, line, make, put, rate, show, since, span, tone, until } from "./words.js";

const asks = { asked: "Asked", refused: "Refused", held: "Held", state: "State", seen: "Seen", trouble: "Trouble", next: "Next", help: "What to do" };

const nameOf = (file) => file.querySelector("summary code").textContent;

// Page shows one instance until it is closed.
export class Page {
  #ended = new AbortController();
  #timer;
  #ticks = [];

  constructor(element, acts, kind, name) {
    Object.assign(this, { element, acts, kind, name, key: keyOf({ kind, name }) });
    const on = { signal: this.#ended.signal };
    this.#build();
    store.addEventListener("change", (e) => e.detail.has(this.key) && this.#soon(), on);
    acts.addEventListener("change", () => this.#acts(), on);
    const second = setInterval(() => this.#tick(), 1000);
    this.#ended.signal.addEventListener("abort", () => clearInterval(second));
    this.#load();
  }

  close() {
    this.#ended.abort();
    clearTimeout(this.#timer);
    this.log?.close();
    this.element.replaceChildren();
  }

  #build() {
    const part = (id, title, ...more) => make("section", { class: id, "aria-labelledby": id + "-title" }, make("div", { class: "head" }, make("h2", { id: id + "-title" }, title), ...more));
    this.title = make("h1", { id: "instance-title", tabindex: "-1" }, line(this.name));
    this.state = make("span", { class: "is" });
    this.kindName = make("span", { class: "kind" });
    this.buttons = make("div", { class: "acts", role: "group", "aria-label": "What can be asked" });
    this.facts = make("dl", { class: "facts" });
    this.chain = make("ul", { class: "chain" });
    this.why = part("why", "Why");
    this.why.append(this.chain);
    this.machine = part("machine-part", "State machine");
    this.history = part("history", "History");
    this.log = new Log(this.kind, this.name);
    const log = part("log-part", "Log", this.log.bar);
    log.append(this.log.element);
    this.files = part("files", "Configuration");
    this.fileList = make("div", { class: "file-list" });
    this.files.append(this.fileList);
    this.element.replaceChildren(
      make("nav", { "aria-label": "Back" }, make("a", { href: "#/", class: "back" }, "← All instances")),
      make("div", { class: "title" }, make("div", { class: "named" }, this.title, this.kindName, this.state), this.buttons),
      this.facts, make("div", { class: "parts" }, this.why, log), this.machine, this.history, this.files);
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), 150);
  }

  async #load() {
    const signal = this.#ended.signal;
    try {
      const [one, why] = await Promise.all([get(path(this.kind, this.name), signal), get(path(this.kind, this.name, "/why"), signal)]);
      const kind = await kindOf(one.kind);
      if (signal.aborted) return;
      this.#show(one, why, kind);
      this.#filesOf(one);
    } catch (e) {
      if (signal.aborted) return;
      this.state.replaceChildren(badge(e.status === 404 ? "not there" : "unknown", "removed"));
      this.chain.replaceChildren(make("li", { "data-part": "trouble" }, show(e.message)));
      this.buttons.replaceChildren();
    }
  }

  // filesOf shows the files again where they may be others: another spec is asked for,
  // or another process has read them.
  #filesOf(one) {
    const from = [JSON.stringify(one.spec), one.pid, one.state].join();
    if (this.filesFrom === from) return;
    this.filesFrom = from;
    this.#loadFiles();
  }

  async #loadFiles() {
    try {
      const answer = await get(path(this.kind, this.name, "/config"), this.#ended.signal);
      const all = files(answer.files ?? []);
      const open = new Set([...this.fileList.querySelectorAll("details[open]")].map(nameOf));
      for (const file of all) file.open ||= open.has(nameOf(file));
      this.fileList.replaceChildren(...(all.length ? all : [make("p", { class: "note" }, "It has no files.")]));
    } catch (e) {
      if (!this.#ended.signal.aborted) this.fileList.replaceChildren(make("p", { class: "note" }, show(e.message)));
    }
  }

  #show(one, why, kind) {
    this.one = one;
    this.key = keyOf(one);
    this.#ticks = [];
    this.state.replaceChildren(badge(one.state || "refused", one.state ? one.phase : "failed"));
    put(this.kindName, line(one.kind));
    this.#acts();
    this.#factsOf(one);
    this.chain.replaceChildren(...why.chain.map((l) => this.#link(l)));
    if (!this.drawing) {
      this.drawing = new Machine(kind, `State machine of ${one.kind}`);
      this.machine.append(this.drawing.element);
    }
    this.drawing.show(one.state, one.history ?? [], Date.now());
    this.#historyOf(one.history ?? []);
    const told = [value("What is asked for", one.spec), value("What was observed", one.observed)];
    if (!this.values) {
      this.values = make("div", { class: "values" });
      this.files.append(this.values);
      this.values.append(...told);
    } else if (!this.values.querySelector("[open]")) this.values.replaceChildren(...told);
  }

  #acts() {
    if (!this.one) return;
    const buttons = this.acts.buttons(this.one);
    const same = (a, b) => a.length === b.length && a.every((x, n) => x.dataset.verb === b[n].dataset.verb);
    if (!same([...this.buttons.children], buttons)) this.buttons.replaceChildren(...buttons);
  }

  // ticking has a text renewed every second.
  #ticking(element, text) {
    const tick = () => put(element, text());
    this.#ticks.push(tick);
    tick();
    return element;
  }

  #tick() {
    for (const tick of this.#ticks) tick();
  }

  #factsOf(one) {
    const facts = [];
    const fact = (title, ...what) => facts.push(make("div", {}, make("dt", {}, title), make("dd", {}, ...what)));
    if (one.since) fact("In this state for", this.#ticking(make("time", { title: clock(one.since) }), () => since(one.since)));
    if (one.desired) fact("Asked to be", line(one.desired));
    if (one.pid) fact("PID", String(one.pid));
    if (one.up) fact("Up for", this.#ticking(make("time", { title: clock(one.up) }), () => since(one.up)));
    if (one.restarts !== undefined || one.pid) fact("Restarts", String(one.restarts ?? 0));
    if (one.traffic) {
      const spark = new Spark();
      const rates = store.all.get(this.key)?.rates ?? [];
      spark.show(rates.length ? rates : [one.traffic.sentRate]);
      fact("In", rate(one.traffic.receivedRate));
      fact("Out", rate(one.traffic.sentRate), spark.svg);
      fact("Messages out", one.traffic.sent.toLocaleString("en"));
      fact("Failed writes", one.traffic.failed.toLocaleString("en"));
    }
    if (one.nextTry) fact("Next try", this.#ticking(make("time", { title: clock(one.nextTry) }), () => until(one.nextTry)));
    this.facts.replaceChildren(...facts);
  }

  #link(l) {
    const when = make("time", { title: l.at ? clock(l.at) : undefined });
    if (l.at) this.#ticking(when, () => (Date.parse(l.at) > Date.now() ? until(l.at) : `for ${since(l.at)}`));
    return make("li", { "data-part": l.part }, make("span", { class: "part" }, asks[l.part] ?? line(l.part)),
      make("span", { class: "says" }, show(l.text), l.by ? make("span", { class: "by" }, line(l.by)) : "", l.at ? when : ""));
  }

  #historyOf(history) {
    const newest = history.at(-1)?.at + history.length;
    if (this.newest === newest && this.table) return;
    this.newest = newest;
    this.table?.remove();
    if (!history.length) {
      this.table = make("p", { class: "note" }, "It has not moved yet.");
      this.history.append(this.table);
      return;
    }
    const rows = history.map((t, n) => {
      const next = history[n + 1];
      const text = [t.reason?.summary, t.reason?.evidence].filter(Boolean).join(": ");
      const cell = (name, label, ...what) => make("td", { role: "cell", class: name, "data-label": label }, ...what);
      return make("tr", { role: "row" }, cell("when", "When", make("time", { datetime: t.at }, clock(t.at))),
        cell("to", "To", make("span", { class: "dot", "data-tone": tone(t.phase), "aria-hidden": "true" }), line(t.to), make("span", { class: "from" }, line(`from ${t.from}`))),
        cell("event", "Event", line(t.event)), cell("stay", "Stayed", next ? span(Date.parse(next.at) - Date.parse(t.at)) : "is there"),
        cell("reason", "Reason", show(text)));
    }).reverse();
    const header = ["When", "To", "Event", "Stayed", "Reason"].map((t) => make("th", { role: "columnheader", scope: "col" }, t));
    this.table = make("table", { role: "table", class: "transitions", "aria-labelledby": "history-title" },
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...header)), make("tbody", { role: "rowgroup" }, ...rows));
    this.history.append(this.table);
  }
}
