// machine.js: the state machine of a kind, and the way of an instance through it.

import { get } from "./ask.js";
import { draw, line, make, span, tone } from "./words.js";

const drawn = ["s6", "benthos"]; // kinds whose machines are laid out
const kinds = new Map(); // what is known of a kind: its table, and where all is drawn

// kindOf returns the table of a kind, and its drawing if there is one of this table.
export function kindOf(kind) {
  if (!kinds.has(kind)) {
    const asked = load(kind);
    asked.catch(() => kinds.delete(kind));
    kinds.set(kind, asked);
  }
  return kinds.get(kind);
}

async function load(kind) {
  const table = await get("tables/" + encodeURIComponent(kind));
  const places = drawn.includes(kind) ? await (await fetch(`page/machines/${kind}.json`)).json() : undefined;
  return { table, places: places && shows(places, table) ? places : undefined };
}

// shows reports whether a drawing is of a table: a program may have another kind of
// the same name.
function shows(places, table) {
  const states = new Set(places.states.map((s) => s.name));
  const rows = new Set(places.moves.flatMap((m) => m.events.map((e) => [m.from, e, m.to].join())));
  return states.size === table.states.length && table.states.every((s) => states.has(s.Name)) &&
    rows.size === table.rows.length && table.rows.every((r) => rows.has([r.From, r.Event, r.To].join()));
}

// wayOf counts the transitions of a history, and how long each state lasted.
export function wayOf(history, now) {
  const moves = new Map(), stays = new Map(), visits = new Map();
  history.forEach((t, n) => {
    const move = t.from + " " + t.to;
    moves.set(move, (moves.get(move) ?? 0) + 1);
    visits.set(t.to, (visits.get(t.to) ?? 0) + 1);
    const left = n + 1 < history.length ? Date.parse(history[n + 1].at) : now;
    stays.set(t.to, (stays.get(t.to) ?? 0) + Math.max(0, left - Date.parse(t.at)));
  });
  return { moves, stays, visits };
}

const head = (id) => draw("marker", { id, viewBox: "0 0 7 6", refX: 0, refY: 3, markerWidth: 7, markerHeight: 6, markerUnits: "userSpaceOnUse", orient: "auto" }, draw("path", { d: "M0 0L7 3L0 6z" }));

// Machine is the drawing of one instance's machine, or a list where there is none.
export class Machine {
  constructor({ table, places }, label) {
    this.table = table;
    this.label = label;
    this.list = make("ul", { class: "states" });
    const list = make("details", { open: !places }, make("summary", {}, "As a list"), this.list);
    this.element = make("div", { class: "machine" });
    if (places) {
      this.box = make("div", { class: "drawing", tabindex: "0", role: "group", "aria-label": "State machine, which can be scrolled" }, this.#draw(places));
      this.element.append(this.box);
    }
    this.element.append(list);
  }

  #draw(places) {
    this.states = new Map();
    this.moves = new Map();
    this.svg = draw("svg", { viewBox: `-4 -4 ${places.width + 8} ${places.height + 8}`, width: places.width + 8, height: places.height + 8, role: "img" });
    this.svg.append(draw("defs", {}, head("head"), head("head-taken"), head("head-lit")));
    for (const m of places.moves) this.svg.append(this.#move(m));
    for (const s of places.states) this.svg.append(this.#state(s));
    this.counts = draw("g", {});
    this.svg.append(this.counts);
    return this.svg;
  }

  #move(m) {
    const path = draw("path", { d: m.path });
    const title = draw("title");
    const g = draw("g", { class: "move", "data-from": m.from, "data-to": m.to }, path, title);
    this.moves.set(m.from + " " + m.to, { g, path, title, text: `${m.from} → ${m.to}: ${m.events.join(", ")}` });
    return g;
  }

  #state(s) {
    const text = (name, n) => draw("text", { class: name, x: s.x, y: s.y + 4 + (n - s.lines.length / 2) * 14 });
    const names = draw("g", { class: "name" }, ...s.lines.map((part, n) => {
      const t = text("", n);
      t.textContent = part;
      return t;
    }));
    const stay = text("stay", s.lines.length);
    const g = draw("g", { class: "state", "data-state": s.name, "data-tone": tone(s.phase) },
      draw("rect", { x: s.x - s.width / 2, y: s.y - s.height / 2, width: s.width, height: s.height, rx: 8 }), names, stay);
    g.addEventListener("pointerenter", () => this.#light(s.name, true));
    g.addEventListener("pointerleave", () => this.#light(s.name, false));
    this.states.set(s.name, { g, names, stay });
    return g;
  }

  #light(name, is) {
    this.svg.classList.toggle("asked", is);
    for (const { g } of this.moves.values()) g.classList.toggle("lit", is && (g.dataset.from === name || g.dataset.to === name));
  }

  // show lights the state that the instance is in, and says where it has been.
  show(state, history, now) {
    const way = wayOf(history, now);
    this.#listed(state, way);
    if (!this.svg) return;
    this.svg.setAttribute("aria-label", `${this.label}: it is ${state || "not there"}. All states and their ways on are in the list below.`);
    for (const [name, { g, names, stay }] of this.states) {
      g.classList.toggle("now", name === state);
      g.classList.toggle("been", way.visits.has(name));
      stay.textContent = way.visits.has(name) ? span(way.stays.get(name)) : "";
      names.setAttribute("transform", way.visits.has(name) ? "" : "translate(0 7)"); // into the middle
    }
    if (this.state !== state) this.#center(this.states.get(state)?.g);
    this.state = state;
    this.counts.replaceChildren();
    for (const [key, { g, path, title, text }] of this.moves) {
      const n = way.moves.get(key) ?? 0;
      g.classList.toggle("taken", n > 0);
      title.textContent = n ? `${text}, taken ${n}×` : text;
      if (n) {
        g.parentNode.insertBefore(g, this.states.values().next().value.g); // above those not taken
        this.#counted(path, n);
      }
    }
  }

  // center scrolls to a state where there is no room for all of them.
  #center(g) {
    const at = g?.getBoundingClientRect(), box = this.box.getBoundingClientRect();
    if (at) this.box.scrollLeft += at.left + at.width / 2 - box.left - box.width / 2;
  }

  #counted(path, n) {
    const { x, y } = path.getPointAtLength(path.getTotalLength() / 2);
    const width = 14 + 7 * String(n).length;
    const text = draw("text", { x, y: y + 4 });
    text.textContent = n + "×";
    this.counts.append(draw("g", { class: "times" }, draw("rect", { x: x - width / 2, y: y - 8, width, height: 16, rx: 8 }), text));
  }

  #listed(state, way) {
    const rows = Map.groupBy(this.table.rows, (r) => r.From);
    this.list.replaceChildren(...this.table.states.map((s) => {
      const been = way.visits.get(s.Name);
      const on = (rows.get(s.Name) ?? []).map((r) => {
        const n = way.moves.get(r.From + " " + r.To);
        return make("li", {}, line(`${r.Event} → ${r.To}`), n ? make("span", { class: "much" }, ` ${n}×`) : "");
      });
      return make("li", { class: s.Name === state ? "now" : "", "aria-current": s.Name === state ? "true" : undefined },
        make("span", { class: "badge", "data-tone": tone(s.Phase) }, line(s.Name)),
        been ? make("span", { class: "much" }, ` ${been}×, ${span(way.stays.get(s.Name))} in all`) : "",
        on.length ? make("ul", {}, ...on) : "");
    }));
  }
}
