// files.js: the files of an instance, as they were written and as they are to be.

import { line, make, show } from "./words.js";

const most = 4e6; // comparisons of lines: what takes more is shown as a whole

// compare returns lines as [sign, text]: "-" for those that were, "+" for those that
// are to be, " " for both.
export function compare(was, is) {
  const a = was.split("\n"), b = is.split("\n");
  let from = 0, enda = a.length, endb = b.length;
  while (from < enda && from < endb && a[from] === b[from]) from++;
  while (enda > from && endb > from && a[enda - 1] === b[endb - 1]) enda--, endb--;
  const both = (text) => [" ", text];
  return [...a.slice(0, from).map(both), ...middle(a.slice(from, enda), b.slice(from, endb)), ...a.slice(enda).map(both)];
}

// middle compares by the longest common subsequence.
function middle(a, b) {
  if (a.length * b.length > most) return [...a.map((text) => ["-", text]), ...b.map((text) => ["+", text])];
  const width = b.length + 1;
  const length = new Uint32Array((a.length + 1) * width);
  for (let n = a.length - 1; n >= 0; n--) {
    for (let m = b.length - 1; m >= 0; m--) {
      length[n * width + m] = a[n] === b[m] ? length[(n + 1) * width + m + 1] + 1 : Math.max(length[(n + 1) * width + m], length[n * width + m + 1]);
    }
  }
  const lines = [];
  for (let n = 0, m = 0; n < a.length || m < b.length;) {
    if (n < a.length && m < b.length && a[n] === b[m]) lines.push([" ", a[n]]), n++, m++;
    else if (n < a.length && (m === b.length || length[(n + 1) * width + m] >= length[n * width + m + 1])) lines.push(["-", a[n++]]);
    else lines.push(["+", b[m++]]);
  }
  return lines;
}

const code = (...children) => make("pre", { tabindex: "0" }, ...children);

// files returns the files as elements: what differs is open, with the differences.
export function files(all) {
  return all.map((f) => {
    const was = f.was ?? "", is = f.is ?? "";
    const differs = was !== is;
    const text = differs ? compare(was, is).map(([sign, t]) => make(sign === "-" ? "del" : sign === "+" ? "ins" : "span", {}, sign + " " + show(t) + "\n")) : [show(is)];
    const says = !differs ? "" : !f.was ? "is to be written" : !f.is ? "is to be removed" : "differs from what is to be";
    return make("details", { class: "file", open: differs },
      make("summary", {}, make("code", {}, line(f.name)), says ? make("span", { class: "says" }, says) : ""), code(...text));
  });
}

// value returns a value as JSON that is folded.
export function value(title, of) {
  if (of === undefined || of === null) return "";
  return make("details", { class: "file" }, make("summary", {}, title), code(show(JSON.stringify(of, null, 2))));
}
