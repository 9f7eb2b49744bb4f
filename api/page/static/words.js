// words.js: values as texts, and texts as elements.

const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/gu;

function escaped(c) {
  const n = c.codePointAt(0);
  if (n < 0x80) return "\\x" + n.toString(16).padStart(2, "0");
  return n <= 0xffff ? "\\u" + n.toString(16).padStart(4, "0") : "\\U" + n.toString(16).padStart(8, "0");
}

// show returns a text of any origin as it may be shown: what is no visible character
// is written as Go writes it in a string. Newlines and tabs stay.
export function show(text) {
  return String(text ?? "").replace(hidden, (c) => (c === "\n" || c === "\t" ? c : escaped(c)));
}

// line is show for what has to stay in one line.
export function line(text) {
  return show(String(text ?? "").trim().split(/\s+/).join(" "));
}

// make returns an element with attributes and children. Strings among the children are
// texts, and never markup.
export function make(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children.filter((c) => c !== undefined && c !== null && c !== ""));
  return e;
}

// draw is make for an SVG.
export function draw(tag, attributes = {}, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

// put sets the text of an element, if it is another.
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// span says for how long something has been so, in its two largest units.
export function span(ms) {
  if (!(ms >= 0)) return "0 s";
  const s = Math.floor(ms / 1000);
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min" + (s < 600 && s % 60 ? " " + (s % 60) + " s" : "");
  const h = Math.floor(s / 3600);
  if (h < 24) return h + " h" + (Math.floor((s % 3600) / 60) ? " " + Math.floor((s % 3600) / 60) + " min" : "");
  return Math.floor(h / 24) + " d" + (h % 24 ? " " + (h % 24) + " h" : "");
}

// since is span from a time until now, "" where there is no time.
export function since(time) {
  return time ? span(Date.now() - Date.parse(time)) : "";
}

// until is how long it takes until a time, "now" where that is over.
export function until(time) {
  const ms = Date.parse(time) - Date.now();
  return ms < 1000 ? "now" : "in " + span(ms);
}

const two = (n) => String(n).padStart(2, "0");

// clock is a time as it is on the wall, with the date if that is another day.
export function clock(time) {
  const t = new Date(time);
  const text = two(t.getHours()) + ":" + two(t.getMinutes()) + ":" + two(t.getSeconds());
  if (t.toDateString() === new Date().toDateString()) return text;
  return t.getFullYear() + "-" + two(t.getMonth() + 1) + "-" + two(t.getDate()) + " " + text;
}

// rate is a number of messages a second.
export function rate(n) {
  if (n === 0) return "0/s";
  if (n < 0.1) return "<0.1/s";
  if (n < 10) return n.toFixed(1) + "/s";
  if (n < 10000) return Math.round(n) + "/s";
  return n < 1e6 ? Math.round(n / 1000) + "k/s" : (n / 1e6).toFixed(1) + "M/s";
}

// tone is what a phase looks like: five of them can be told apart at a glance.
export function tone(phase) {
  switch (phase) {
    case "running": return "well";
    case "degraded": return "warn";
    case "failed": return "bad";
    case "starting": case "stopping": case "creating": case "removing": return "moves";
  }
  return "rests";
}

// badge is a state as it is shown.
export function badge(text, phase) {
  return make("span", { class: "badge", "data-tone": tone(phase) }, line(text));
}
