// row.js: one instance in the list.

import { badness, reasonOf } from "./store.js";
import { badge, clock, line, make, put, rate, show, since, tone } from "./words.js";
import { Spark } from "./spark.js";

// linkOf is where an instance is shown.
export const linkOf = (one) => "#/instances/" + encodeURIComponent(one.name) + "?kind=" + encodeURIComponent(one.kind);

const cell = (name, label) => make("td", { role: "cell", class: name, "data-label": label });

// Row is the row of an instance.
export class Row {
  seen = false; // it is in view, or nearly

  constructor(one) {
    this.link = make("a", { href: linkOf(one) }, line(one.name));
    this.tr = make("tr", { role: "row" });
    const name = make("th", { role: "rowheader", scope: "row", class: "name" }, this.link, make("span", { class: "kind" }, line(one.kind)));
    this.state = cell("state", "State");
    this.span = cell("span", "For");
    this.process = cell("process", "Process");
    this.restarts = cell("restarts", "Restarts");
    this.traffic = cell("traffic", "Throughput");
    this.text = make("div");
    this.reason = cell("reason", "Reason");
    this.reason.append(this.text);
    this.tr.append(name, this.state, this.span, this.process, this.restarts, this.traffic, this.reason);
    this.update(one);
  }

  // update shows the instance as it is now.
  update(one) {
    this.one = one;
    const bad = badness(one);
    this.tr.dataset.tone = bad >= 3 && tone(one.phase) === "well" ? "warn" : tone(one.phase);
    this.tr.classList.toggle("wrong", bad >= 2);
    const text = one.state || "refused";
    const there = one.settled || one.desired === one.state || (one.runs && one.phase === "running");
    const asked = one.desired && !there ? "asked: " + one.desired : "";
    if (this.said !== text + one.phase + asked) {
      this.said = text + one.phase + asked;
      this.state.replaceChildren(badge(text, one.state ? one.phase : "failed"));
      if (asked) this.state.append(make("span", { class: "asked" }, line(asked)));
    }
    put(this.restarts, one.restarts ? String(one.restarts) : "");
    const reason = reasonOf(one);
    put(this.text, line(reason));
    this.text.title = reason.length > 60 ? show(reason) : "";
    if (this.seen) this.draw();
  }

  // draw shows what takes time to draw, and only where it is seen.
  draw() {
    const one = this.one;
    this.tick();
    if (!one.traffic) {
      if (this.spark) this.traffic.replaceChildren();
      this.spark = undefined;
      return;
    }
    if (!this.spark) {
      this.spark = new Spark();
      this.rate = make("span", { class: "rate" });
      this.traffic.replaceChildren(this.spark.svg, this.rate);
    }
    this.spark.show(one.rates.length ? one.rates : [one.traffic.sentRate]);
    put(this.rate, rate(one.traffic.sentRate));
  }

  // tick shows how much time has passed.
  tick() {
    const one = this.one;
    put(this.span, since(one.since));
    if (one.since && this.sinceTime !== one.since) {
      this.sinceTime = one.since;
      this.span.title = "since " + clock(one.since);
    }
    const process = one.pid ? one.pid + (one.up ? " up " + since(one.up) : "") : "";
    if (this.told === process) return;
    this.told = process;
    this.process.replaceChildren();
    if (one.pid) this.process.append(make("span", { class: "pid" }, String(one.pid)), one.up ? make("span", { class: "up" }, "up " + since(one.up)) : "");
  }
}
