// Corrections that people make elsewhere, taken over as they come; each once, and in order.

import { call } from "../api.js";

const PAGE = 200;

/** Follows the versions of a transcript. `takeAll()` reads it as a whole, where the way from one version to the next is lost. */
export class Corrections {
  #address;
  #transcript;
  #version = null;
  #reading = Promise.resolve();

  constructor(address, transcript, takeAll) {
    this.#address = address;
    this.#transcript = transcript;
    this.takeAll = takeAll;
  }

  /** There is this version now. The first that is heard of is the one that the page is being shown. */
  heard(version) {
    if (this.#version === null) this.#version = version;
    if (version > this.#version) this.#reading = this.#reading.then(() => this.#catchUp(version));
    return this.#reading;
  }

  async #catchUp(version) {
    if (version <= this.#version) return;
    try {
      for (let after = this.#version; after !== null; ) {
        const { version: now, corrections, next } = await call("GET", `${this.#address}?${new URLSearchParams({ after, limit: PAGE })}`);
        for (const one of corrections) this.#apply(one);
        this.#version = Math.max(this.#version, corrections.at(-1)?.number ?? now);
        after = next;
      }
    } catch {
      this.#version = version;
      this.takeAll();
    }
  }

  #apply({ removed = [], segments = [], speakers }) {
    this.#transcript.change({ removed, segments });
    if (speakers) this.#transcript.speakers(speakers);
  }
}
