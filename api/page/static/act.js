// act.js: what can be asked of an instance by hand.

import { post, rights, token } from "./ask.js";
import { store } from "./store.js";
import { line, make, show } from "./words.js";

const at = (id) => document.getElementById(id);

const verbs = {
  stop: { title: "Stop", text: "It stays stopped until somebody starts it by hand, whatever is declared of it." },
  start: { title: "Start", text: "It is again what is declared of it." },
  restart: { title: "Restart", text: "Another process takes the place of the one that runs. What is under way in it may be lost." },
  retry: { title: "Retry", text: "What failed, or is held, is tried at once." },
};

// possible are the verbs that make sense of an instance.
function possible(one) {
  const list = [];
  if (one.failures || one.held || one.error) list.push("retry");
  if (one.pid || ["failed", "done"].includes(one.phase)) list.push("restart");
  if (one.layer === "by hand") list.push("start");
  else if (one.state) list.push("stop");
  return list;
}

// Acts has the buttons, and asks before it asks.
export class Acts extends EventTarget {
  writes = "no";
  #resolve;

  constructor() {
    super();
    at("unlock").addEventListener("click", () => (this.writes === "yes" ? this.#lock() : this.#unlock()));
    at("confirm-no").addEventListener("click", () => at("confirm").close());
    at("confirm-yes").addEventListener("click", () => this.#resolve?.());
    at("token-no").addEventListener("click", () => at("token").close());
    at("token-form").addEventListener("submit", (e) => {
      e.preventDefault();
      this.#give(at("token-value").value.trim());
    });
    at("token").addEventListener("close", () => { at("token-value").value = ""; });
    this.#learn().catch(() => {}); // the list says that nobody answers
  }

  async #learn(given = token.get()) {
    const { version, writes } = await rights(given);
    if (given && writes === "yes") token.set(given);
    else if (writes !== "yes") token.set("");
    this.writes = writes;
    at("version").textContent = line(version);
    at("unlock").hidden = writes === "no" || (writes === "yes" && !token.get());
    at("unlock").textContent = writes === "yes" ? "Lock" : "Unlock";
    this.dispatchEvent(new Event("change"));
    return writes;
  }

  #lock() {
    token.set("");
    this.#learn();
  }

  #unlock() {
    at("token-failure").hidden = true;
    at("token").showModal();
  }

  async #give(given) {
    const failure = at("token-failure");
    try {
      failure.hidden = (await this.#learn(given)) === "yes";
      failure.textContent = failure.hidden ? "" : "This is not the token of this program.";
      if (failure.hidden) at("token").close();
    } catch (e) {
      failure.hidden = false;
      failure.textContent = show(e.message);
    }
  }

  // buttons are those of an instance: none where nothing can be asked.
  buttons(one) {
    if (this.writes !== "yes") return [];
    return possible(one).map((verb) => {
      const b = make("button", { type: "button", class: "act", "data-verb": verb }, verbs[verb].title);
      b.addEventListener("click", () => this.#ask(one, verb));
      return b;
    });
  }

  #ask(one, verb) {
    const { title, text } = verbs[verb];
    at("confirm-title").textContent = `${title} ${line(one.name)}?`;
    at("confirm-text").textContent = text;
    at("confirm-yes").textContent = title;
    at("confirm-failure").hidden = true;
    this.#resolve = () => this.#do(one, verb);
    at("confirm").showModal();
  }

  async #do(one, verb) {
    const failure = at("confirm-failure");
    at("confirm-yes").disabled = true;
    try {
      await post(one.kind, one.name, verb);
      at("confirm").close();
      at("announce").textContent = `${verbs[verb].title} ${line(one.name)}: it is asked for.`;
      store.look();
    } catch (e) {
      failure.hidden = false;
      failure.textContent = show(e.message);
      if (e.status === 401) this.#learn("");
    }
    at("confirm-yes").disabled = false;
  }
}
