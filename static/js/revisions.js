// From which revision a page has to be told again after its socket broke: the last one before which nothing is missing.

export class Revisions {
  #whole = 0;
  #promised = null;
  #ahead = new Set();

  /** Up to here the page has everything. */
  get whole() {
    return this.#whole;
  }

  /** A snapshot promises the segments up to its revision; they follow it. */
  promise(revision) {
    this.#promised = revision;
  }

  /** A change comes after its own segments and after everything that a snapshot promised. */
  keep(revision) {
    if (this.#promised !== null) {
      this.#whole = Math.max(this.#whole, this.#promised);
      this.#promised = null;
    }
    // Changes come from several processes, so one may overtake another.
    if (revision > this.#whole) this.#ahead.add(revision);
    while (this.#ahead.delete(this.#whole + 1)) this.#whole += 1;
  }
}
