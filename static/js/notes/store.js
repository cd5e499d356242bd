// The notes of a recording as this page knows them. Tells by "changed" that they have, by "failed" why something was not done.

import { call, csrfToken } from "../api.js";

/** What is deleted can be brought back for so long; then the server is told. */
export const UNDO_MS = 8000;
/** The push of one's own change and its answer come together, in any order. */
const REREAD_MS = 400;

export class Notes extends EventTarget {
  #address;
  #byId = new Map();
  #leaving = new Map();
  #own = new Set();
  #heard = new Set();
  #timer = 0;

  constructor(address, notes) {
    super();
    this.#address = address;
    for (const note of notes) this.#byId.set(note.id, note);
    addEventListener("pagehide", () => this.#leaveAll());
  }

  /** In order of time, without those that are being deleted. */
  get all() {
    const shown = [...this.#byId.values()].filter(({ id }) => !this.#leaving.has(id));
    return shown.sort((a, b) => a.start - b.start || a.id - b.id);
  }

  find(id) {
    return this.#byId.get(id);
  }

  async add(fields) {
    return this.#put(await call("POST", this.#address, fields));
  }

  async change(id, fields) {
    return this.#put(await call("PATCH", `${this.#address}/${id}`, fields));
  }

  /** Takes it away, and tells the server after a while, or when the page is left. */
  leave(id) {
    this.#leaving.set(id, setTimeout(() => this.#remove(id), UNDO_MS));
    this.#changed();
  }

  stay(id) {
    clearTimeout(this.#leaving.get(id));
    this.#leaving.delete(id);
    this.#changed();
  }

  /** The recording has a revision with other notes. They are read again unless all that is new is one's own. */
  heard(revision) {
    this.#heard.add(revision);
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      const isNews = [...this.#heard].some((one) => !this.#own.has(one));
      this.#heard.clear();
      if (isNews) this.reread();
    }, REREAD_MS);
  }

  async reread() {
    try {
      const { notes } = await call("GET", this.#address);
      this.#byId = new Map(notes.map((note) => [note.id, note]));
      this.#changed();
    } catch {
      // What is shown stays; the next push brings it up to date.
    }
  }

  #put({ note, revision }) {
    this.#own.add(revision);
    this.#byId.set(note.id, note);
    this.#changed();
    return note;
  }

  async #remove(id) {
    try {
      const { revision } = await call("DELETE", `${this.#address}/${id}`);
      this.#own.add(revision);
      this.#byId.delete(id);
    } catch (error) {
      if (error.status === 404) this.#byId.delete(id);
      else this.dispatchEvent(new CustomEvent("failed", { detail: error.message }));
    }
    this.#leaving.delete(id);
    this.#changed();
  }

  /** A page that goes away can't wait for an answer. */
  #leaveAll() {
    for (const [id, timer] of this.#leaving) {
      clearTimeout(timer);
      fetch(`${this.#address}/${id}`, { method: "DELETE", keepalive: true, headers: { "X-CSRFToken": csrfToken() } }).catch(() => {});
      this.#byId.delete(id);
    }
    this.#leaving.clear();
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }
}
