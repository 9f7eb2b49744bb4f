// ask.js: what the program answers, and what it is asked for by hand.

const kept = "evenkeel-token";

export const token = {
  get: () => sessionStorage.getItem(kept) ?? "",
  set: (text) => (text ? sessionStorage.setItem(kept, text) : sessionStorage.removeItem(kept)),
};

// Refusal is an answer that is no success.
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function refuse(response) {
  const text = await response.text();
  let detail = text.trim() || response.statusText;
  try {
    detail = JSON.parse(text).detail ?? detail;
  } catch {
    // the answer is its text
  }
  throw new Refusal(response.status, detail);
}

function headers(given = token.get()) {
  return given ? { Authorization: "Bearer " + given } : {};
}

// get returns an answer of the program, from its JSON.
export async function get(path, signal) {
  const response = await fetch("api/" + path, { signal, cache: "no-store" });
  return response.ok ? response.json() : refuse(response);
}

// path is where an instance is found, below api/.
export function path(kind, name, what = "") {
  return "instances/" + encodeURIComponent(name) + what + "?kind=" + encodeURIComponent(kind);
}

// rights are what this page may ask for, with a token.
export async function rights(given) {
  const response = await fetch("api/rights", { headers: headers(given), cache: "no-store" });
  return response.ok ? response.json() : refuse(response);
}

// post asks for something by hand.
export async function post(kind, name, verb) {
  const response = await fetch("api/" + path(kind, name, "/" + verb), { method: "POST", headers: headers() });
  if (!response.ok) await refuse(response);
}

// lines calls told with the lines of a log as they come, until the signal.
export async function lines(kind, name, last, follow, signal, told) {
  const response = await fetch("api/" + path(kind, name, "/log") + "&n=" + last + "&follow=" + follow, { signal, cache: "no-store" });
  if (!response.ok) await refuse(response);
  const text = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await text.read();
    if (done) break;
    const whole = (rest + value).split("\n");
    rest = whole.pop();
    if (whole.length) told(whole);
  }
  if (rest) told([rest]);
}
