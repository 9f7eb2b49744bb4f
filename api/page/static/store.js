// store.js: all instances, as they are now.

import { get } from "./ask.js";

const every = 5000; // ms between two looks at what has changed
const soon = 400; // ms from an event to the next look: its pass has ended by then
const samples = 60; // of throughput: five minutes

export const keyOf = (one) => one.kind + "/" + one.name;

// Store keeps all instances and tells of them by events: "change" with the keys that
// have changed, "gone" among them; "connection" with whether it is live; "happened"
// with an event of the program.
class Store extends EventTarget {
  all = new Map(); // by key: a summary, and rates: what went through lately
  loaded = false;
  #cursor = 0;
  #last = -1;
  #events;
  #timer;
  #due = Infinity; // when it looks next
  #asking = false;
  #again = false; // something has happened since it asked
  #sampled = 0;

  // start looks, and goes on looking while the page can be seen.
  start() {
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#rest() : this.look(0)));
    if (!document.hidden) this.look(0);
  }

  // look looks before so many ms are over.
  look(ms = soon) {
    if (this.#asking) this.#again = true;
    const due = Date.now() + ms;
    if (this.#asking || due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  #rest() {
    clearTimeout(this.#timer);
    this.#due = Infinity;
    this.#events?.close();
    this.#events = undefined;
    this.#tell("connection", { is: "rests" });
  }

  async #look() {
    this.#due = Infinity;
    this.#asking = true;
    this.#again = false;
    try {
      this.#take(await get("changes?after=" + this.#cursor));
      if (this.#events?.readyState === EventSource.OPEN) this.#tell("connection", { is: "live" });
      if (!this.#events && !document.hidden) this.#watch();
    } catch (e) {
      this.#tell("connection", { is: "lost", why: e.message });
    }
    this.#asking = false;
    if (!document.hidden) this.look(this.#again ? soon : every);
  }

  #take(answer) {
    const changed = new Set();
    if (answer.all) {
      const there = new Set(answer.instances.map(keyOf));
      for (const key of this.all.keys()) {
        if (!there.has(key)) this.#drop(key, changed);
      }
    }
    for (const one of answer.gone ?? []) this.#drop(keyOf(one), changed);
    for (const one of answer.instances) {
      const key = keyOf(one);
      one.rates = this.all.get(key)?.rates ?? [];
      this.all.set(key, one);
      changed.add(key);
    }
    this.#sample(changed);
    this.#cursor = answer.cursor;
    this.#last = Math.max(this.#last, answer.last);
    this.loaded = true;
    this.#tell("change", changed);
  }

  // sample keeps what goes through, at most once in every look that nothing hastened.
  #sample(changed) {
    if (Date.now() - this.#sampled < every - soon) return;
    this.#sampled = Date.now();
    for (const [key, one] of this.all) {
      if (!one.traffic) continue;
      one.rates.push(one.traffic.sentRate);
      if (one.rates.length > samples) one.rates.shift();
      changed.add(key);
    }
  }

  #drop(key, changed) {
    this.all.delete(key);
    changed.add(key);
  }

  #watch() {
    const events = new EventSource("api/events?after=" + this.#last);
    this.#events = events;
    events.onopen = () => this.#tell("connection", { is: "live" });
    events.onerror = () => {
      this.#tell("connection", { is: "lost" });
      if (events.readyState === EventSource.CLOSED && this.#events === events) this.#events = undefined; // the next look opens another
    };
    for (const type of ["transition", "failing", "recovered", "refused", "taken", "warned", "overran", "closed", "missed"]) {
      events.addEventListener(type, (e) => this.#hear(JSON.parse(e.data)));
    }
  }

  // hear shows at once what an event says, and looks for the rest.
  #hear(e) {
    this.#last = Math.max(this.#last, e.id);
    const key = keyOf(e);
    const one = this.all.get(key);
    if (one && e.type === "transition") {
      Object.assign(one, { state: e.to, phase: e.phase, since: e.at, reason: e.reason, settled: false });
    } else if (one && e.type === "failing") {
      Object.assign(one, { error: e.error, failures: e.failures, nextTry: e.nextTry, held: e.held });
    } else if (one && e.type === "recovered") {
      Object.assign(one, { error: undefined, failures: 0, nextTry: undefined, held: false });
    }
    if (one) this.#tell("change", new Set([key]));
    this.#tell("happened", e);
    this.look();
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

export const store = new Store();

// badness says how much is wrong with an instance: what is done, or waits to be
// started, is not wrong.
export function badness(one) {
  if (one.phase === "failed" || one.held || (!one.state && one.refused)) return 4;
  if (one.phase === "degraded" || one.error || one.refused) return 3;
  if (one.runs && one.phase === "stopped" && !one.layer) return 2;
  if (["starting", "stopping", "creating", "removing"].includes(one.phase)) return 1;
  return 0;
}

// reasonOf is what is to be said of an instance in one line.
export function reasonOf(one) {
  const said = (r) => [r?.summary, r?.evidence].filter(Boolean).join(": ");
  if (one.refused) return (one.state ? "its last declaration is refused: " : "refused: ") + one.refused;
  return one.error || said(one.waits) || said(one.reason);
}
