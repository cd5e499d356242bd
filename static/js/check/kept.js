// What this browser keeps of a check: texts that are not saved yet, and speech of which somebody found that it says nothing.

export class Kept {
  #texts;
  #gaps;

  constructor(job) {
    this.#texts = `check:${job}:text:`;
    this.#gaps = `check:${job}:gaps`;
  }

  /** A text that was typed at this place before the page was closed; null where there is none. */
  typed(place) {
    return read(() => sessionStorage.getItem(this.#texts + place));
  }

  keep(place, text) {
    read(() => sessionStorage.setItem(this.#texts + place, text));
  }

  drop(place) {
    read(() => sessionStorage.removeItem(this.#texts + place));
  }

  silent(start) {
    return this.#silent().includes(start);
  }

  setSilent(start, silent) {
    const others = this.#silent().filter((one) => one !== start);
    read(() => localStorage.setItem(this.#gaps, JSON.stringify(silent ? [...others, start] : others)));
  }

  #silent() {
    return read(() => JSON.parse(localStorage.getItem(this.#gaps))) ?? [];
  }
}

/** Browsers may refuse to keep anything, or be full. */
function read(what) {
  try {
    return what();
  } catch {
    return null;
  }
}
