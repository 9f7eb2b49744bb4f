// spark.js: what went through lately, as a line.

import { draw } from "./words.js";

const width = 84, height = 20;

// Spark is the line of one instance.
export class Spark {
  constructor() {
    this.area = draw("path", { class: "area" });
    this.path = draw("path", { class: "line" });
    this.svg = draw("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" }, this.area, this.path);
  }

  // show draws rates, oldest first. There is room for a minute of them, or for all.
  show(rates) {
    const room = Math.max(rates.length, 12);
    const most = Math.max(...rates);
    const flat = Math.min(...rates) === most; // which fills half the height, unless it is zero
    const share = (r) => (most === 0 ? 0 : flat ? 0.5 : r / most);
    const at = (r, n) => [width - ((rates.length - 1 - n) * width) / (room - 1), height - 2 - share(r) * (height - 4)].map((x) => x.toFixed(1)).join(" ");
    const points = rates.length === 1 ? ["0 " + at(rates[0], 0).split(" ")[1], at(rates[0], 0)] : rates.map(at);
    const line = "M" + points.join("L");
    this.path.setAttribute("d", line);
    this.area.setAttribute("d", `${line}L${width} ${height}L${points[0].split(" ")[0]} ${height}Z`);
  }
}
