// The player and the list in step: the segment and the word that are heard are marked, and followed while that is wanted.

import { rangeOf } from "./caret.js";
import { timeAt, wordAt, wordsIn } from "./words.js";

const HEARD = "heard";
const FOLLOW = "editor-follow";
const PLAYS = "editor-click-plays";
const stored = (name) => localStorage.getItem(name) !== "no";

export class Listening {
  #player;
  #editor;
  #rows;
  #shown = { row: null, text: null, words: [], word: null };

  constructor(player, editor, rows, { follow, clickPlays }) {
    [this.#player, this.#editor, this.#rows] = [player, editor, rows];
    this.follow = follow;
    this.clickPlays = clickPlays;
    follow.checked = stored(FOLLOW);
    clickPlays.checked = stored(PLAYS);
    follow.addEventListener("change", () => localStorage.setItem(FOLLOW, follow.checked ? "yes" : "no"));
    clickPlays.addEventListener("change", () => localStorage.setItem(PLAYS, clickPlays.checked ? "yes" : "no"));
    if (!player) return;
    player.addEventListener("time", () => this.mark());
    player.addEventListener("state", () => this.mark());
    // Who scrolls by hand wants to read elsewhere.
    for (const kind of ["wheel", "touchmove"]) addEventListener(kind, () => this.#pauseFollowing(), { passive: true });
  }

  #pauseFollowing() {
    if (!this.follow.checked || !this.#player.playing) return;
    this.follow.checked = false;
  }

  playFrom(row) {
    this.#player?.seek(row.segment.start);
    this.#player?.play();
  }

  /** A click on a character of a row's text. */
  heard(row, offset) {
    if (!this.#player) return;
    this.#player.seek(timeAt(row.segment, offset));
    if (this.clickPlays.checked) this.#player.play();
  }

  /** Marks what is heard now. Called many times a second: it looks only at one row. */
  mark() {
    if (!this.#player) return;
    const { time } = this.#player;
    const segment = this.#editor.model.list[this.#editor.model.placeAt(time)];
    const isHeard = segment && time <= segment.end + 0.3;
    const row = isHeard ? this.#rows.row(segment.id) : null;
    if (isHeard && !row && this.#player.playing && this.follow.checked) return this.#bring(segment.id);
    if (row !== this.#shown.row) this.#change(row);
    this.#markWord(time);
    return undefined;
  }

  #bring(id) {
    this.#rows.bring(id)?.element.scrollIntoView({ block: "center" });
    this.mark();
  }

  #change(row) {
    this.#shown.row?.element.classList.remove(HEARD);
    row?.element.classList.add(HEARD);
    this.#shown = { row, text: null, words: [], word: null };
    if (row && this.follow.checked && this.#player.playing) this.#scrollTo(row);
  }

  #scrollTo(row) {
    const box = row.element.getBoundingClientRect();
    const top = document.getElementById("deck").getBoundingClientRect().bottom;
    if (box.top > top + 8 && box.bottom < innerHeight - 80) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scrollBy({ top: box.top - top - (innerHeight - top) / 3, behavior: calm ? "auto" : "smooth" });
  }

  #markWord(time) {
    const { row } = this.#shown;
    if (!globalThis.Highlight) return;
    if (row && this.#shown.text !== row.text) {
      this.#shown.text = row.text;
      this.#shown.words = wordsIn(row.text, row.segment.words);
      this.#shown.word = null;
    }
    const word = row ? wordAt(this.#shown.words, time) : null;
    if (word === this.#shown.word && (word || !CSS.highlights.has(HEARD))) return;
    this.#shown.word = word;
    if (word) CSS.highlights.set(HEARD, new Highlight(rangeOf(row.said, word.from, word.to)));
    else CSS.highlights.delete(HEARD);
  }
}
