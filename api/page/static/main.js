// main.js: which of the two is shown, the list or an instance, and what is told of all.

import { Acts } from "./act.js";
import { Page } from "./instance.js";
import { List } from "./list.js";
import { badness, keyOf, store } from "./store.js";
import { line, put, show } from "./words.js";

const at = (id) => document.getElementById(id);
const quiet = 3000; // ms between two announcements

const acts = new Acts();
const list = new List();
let page;

// route shows what the address names.
function route() {
  const [, name, query] = /^#\/instances\/([^?]+)(?:\?(.*))?$/.exec(location.hash) ?? [];
  const before = page?.key;
  page?.close();
  page = undefined;
  if (name) page = new Page(at("instance"), acts, new URLSearchParams(query).get("kind") ?? "", decodeURIComponent(name));
  list.show(!page);
  at("instance").hidden = !page;
  if (page) {
    window.scrollTo(0, 0);
    page.title.focus();
  } else if (before) list.focus(before);
  title();
}

function title() {
  if (page) {
    const one = store.all.get(page.key);
    document.title = [line(page.name) + (one ? ": " + line(one.state) : ""), "evenkeel"].join(" – ");
    return;
  }
  const wrong = [...store.all.values()].filter((one) => badness(one) >= 3).length;
  document.title = wrong ? `(${wrong}) evenkeel` : "evenkeel";
}

// announce tells those who hear the page what has happened, a little at a time.
const heard = new Map();
let speaking = 0;

function announce(e) {
  if (e.type !== "transition" && e.type !== "failing" && e.type !== "refused") return;
  const what = e.type === "transition" ? e.to : e.type;
  heard.set(keyOf(e), `${line(e.name)} is ${line(what)}.`);
  speaking ||= setTimeout(() => {
    speaking = 0;
    const all = [...heard.values()];
    heard.clear();
    put(at("announce"), all.length > 3 ? `${all.length} instances have changed.` : all.join(" "));
  }, quiet);
}

const connections = { live: "live", lost: "no answer, trying again", rests: "paused", waiting: "connecting" };

store.addEventListener("connection", ({ detail }) => {
  at("connection").dataset.is = detail.is;
  put(at("connected"), connections[detail.is]);
  const trouble = at("trouble");
  if (detail.is === "live" || detail.why) {
    trouble.hidden = detail.is === "live";
    put(trouble, detail.is === "live" ? "" : `The program does not answer (${show(detail.why)}). What is shown is what was last known.`);
  }
});
store.addEventListener("change", title);
store.addEventListener("happened", (e) => announce(e.detail));

at("skip").addEventListener("click", (e) => {
  e.preventDefault();
  at("main").focus();
});
document.addEventListener("keydown", (e) => {
  const typing = e.target.closest("input, textarea, select, dialog");
  if (e.key === "/" && !typing && !page) {
    e.preventDefault();
    at("filter").focus();
  } else if (e.key === "Escape" && !typing && page) {
    location.hash = "#/";
  }
});
window.addEventListener("hashchange", route);
route();
store.start();
