// log.js: the log of an instance, as it is written.

import { lines } from "./ask.js";
import { make, show } from "./words.js";

const most = 2000; // lines that are kept
const stamp = /^(\S*\d\d:\d\d:\d\d\S*)\s(.*)$/s;

// Log follows the log of an instance until it is closed.
export class Log {
  #ended = new AbortController();
  #waiting = [];
  #frame = 0;

  constructor(kind, name) {
    this.box = make("ol", { class: "lines", tabindex: "0", "aria-label": "Lines of the log, the newest last" });
    this.note = make("p", { class: "note", role: "status" });
    this.follow = make("input", { type: "checkbox", checked: true });
    this.follow.addEventListener("change", () => this.#scroll());
    this.box.addEventListener("scroll", () => {
      const { scrollTop, clientHeight, scrollHeight } = this.box;
      this.follow.checked = scrollTop + clientHeight > scrollHeight - 30;
    });
    this.bar = make("label", { class: "follow" }, this.follow, " Follow");
    this.element = make("div", { class: "log" }, this.box, this.note);
    this.#read(kind, name);
  }

  async #read(kind, name) {
    try {
      await lines(kind, name, 200, true, this.#ended.signal, (some) => this.#add(some));
      this.note.textContent = "The log has ended: open this instance again to follow it.";
    } catch (e) {
      if (this.#ended.signal.aborted) return;
      this.note.textContent = show(e.message);
      this.bar.hidden = true;
      this.box.hidden = !this.box.firstChild;
    }
  }

  #add(some) {
    this.#waiting.push(...some);
    if (this.#waiting.length > most) this.#waiting.splice(0, this.#waiting.length - most);
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#flush());
  }

  #flush() {
    this.box.append(...this.#waiting.map((text) => {
      const [, time, rest] = stamp.exec(text) ?? [];
      return time ? make("li", {}, make("time", {}, show(time)), " ", show(rest)) : make("li", {}, show(text));
    }));
    this.#waiting = [];
    while (this.box.childElementCount > most) this.box.firstChild.remove();
    this.#frame = 0;
    this.#scroll();
  }

  #scroll() {
    if (this.follow.checked) this.box.scrollTop = this.box.scrollHeight;
  }

  close() {
    this.#ended.abort();
    cancelAnimationFrame(this.#frame);
  }
}
