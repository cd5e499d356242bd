// Sends the outbox in order, one change at a time, and reads what others have changed in between. Goes on by itself when the
// network, the server or the session comes back.

import { requestOf } from "./changes.js";
import { ask, whoIsThere } from "./asking.js";

const PAUSES_MS = [1000, 2000, 4000, 8000, 15000];
const SESSION_MS = 5000;
/** A refusal with a fresh token is none of the session's. */
const MOST_REFUSALS = 2;
const LIMIT = 200;
const WAIT_MS = 50;
const WAITING = new Set(["lost", "not_ready", "signed_out", "other_user"]);

/**
 * `on`: answered(change, body), conflict(change, body), refused(change, body), corrections(list, version), state(name).
 * States: "idle", "busy", "lost", "not_ready", "signed_out", "other_user", "denied", "gone".
 */
export class Sending {
  #outbox;
  #start;
  #on;
  #timer = 0;
  #busy = false;
  #behind = false;
  #failures = 0;
  #refusals = 0;
  #over = false;
  state = "idle";
  version;

  constructor(outbox, start, on) {
    [this.#outbox, this.#start, this.#on, this.version] = [outbox, start, on, start.version];
    addEventListener("online", () => this.again());
    addEventListener("focus", () => this.state === "signed_out" && this.again());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.state !== "idle" && this.again());
  }

  /** Others have changed something. */
  behind() {
    this.#behind = true;
    this.wake();
  }

  again() {
    this.#failures = 0;
    this.wake();
  }

  /** Works until there is nothing left to do now. Only one runs at a time; what comes in meanwhile is seen by it. */
  async wake() {
    clearTimeout(this.#timer);
    if (this.#busy || this.#over) return;
    this.#busy = true;
    try {
      while (await this.#one());
    } finally {
      this.#busy = false;
    }
    this.plan();
  }

  /** Something was added to the outbox: it is sent when it is due, and not before a pause after a failure is over. */
  plan() {
    if (this.#busy || this.#over || WAITING.has(this.state)) return;
    const { change, at } = this.#outbox.next();
    if (change || this.#behind) this.#later(0);
    else if (at < Infinity) this.#later(at - Date.now());
  }

  /** Reads what others have changed, now. */
  async catchUp() {
    this.#behind = true;
    if (!this.#busy) await this.wake();
  }

  /** True when all that was changed is saved, false when that can't be now. */
  async allSent() {
    this.#outbox.hurry();
    for (;;) {
      if (!this.#outbox.free().length) return true;
      if (WAITING.has(this.state) || this.#over) return false;
      await this.wake();
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }

  gone() {
    this.#end("gone");
  }

  #later(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), Math.max(0, milliseconds));
  }

  /** One change, or one look at those of others. True when there may be more to do. */
  async #one() {
    const { change } = this.#outbox.next();
    if (change) return this.#send(change);
    if (this.#behind) return this.#read();
    this.#tell("idle");
    return false;
  }

  async #send(change) {
    if (this.state === "idle") this.#tell("busy");
    await this.#outbox.send(change);
    const { status, body, after } = await ask("POST", this.#start.corrections_url, requestOf(change));
    if (status === 200 || status === 201) {
      this.#well();
      if (body.version > this.version + 1) this.#behind = true;
      else this.version = Math.max(this.version, body.version);
      this.#on.answered(change, body);
      return true;
    }
    if (status === 409 && body?.code === "not_ready") return this.#fail("not_ready", after);
    if (status === 409) {
      this.#well();
      this.#behind = true;
      this.#on.conflict(change, body ?? {});
      return true;
    }
    if (status === 400 || status === 413 || status === 422) {
      this.#well();
      this.#on.refused(change, body ?? {});
      return true;
    }
    return this.#without(status, after);
  }

  async #read() {
    this.#behind = false;
    const { status, body, after } = await ask("GET", `${this.#start.corrections_url}?after=${this.version}&limit=${LIMIT}`);
    if (status !== 200) {
      this.#behind = true;
      return this.#without(status, after);
    }
    this.#well();
    const news = body.corrections.filter(({ number }) => number > this.version);
    this.version = Math.max(this.version, news.at(-1)?.number ?? 0);
    if (body.next !== null) this.#behind = true;
    if (news.length) this.#on.corrections(news);
    return true;
  }

  #well() {
    [this.#failures, this.#refusals] = [0, 0];
    this.#tell("busy");
  }

  /** The server did not do its part. */
  async #without(status, after) {
    if (status === 404) return this.#end("gone");
    if (status !== 401 && status !== 403) return this.#fail("lost", after);
    const there = this.#refusals < MOST_REFUSALS ? await whoIsThere(this.#start.page_url, this.#start.user_id) : "denied";
    if (there === "same") {
      this.#refusals += 1;
      return true;
    }
    if (there === "unknown") return this.#fail("lost", after);
    if (there === "denied" || there === "gone") return this.#end(there);
    this.#tell(there);
    this.#later(SESSION_MS);
    return false;
  }

  #fail(state, after = 0) {
    this.#tell(state);
    const pause = PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length - 1)];
    this.#failures += 1;
    this.#later(Math.max(after * 1000, pause));
    return false;
  }

  #end(state) {
    this.#over = true;
    this.#tell(state);
    return false;
  }

  #tell(state) {
    this.state = state;
    this.#on.state(state);
  }
}
