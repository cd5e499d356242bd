// Search within the transcript: counts, marks, next and previous.

import { setText } from "../dom.js";
import { text } from "../texts.js";
import { mark } from "./marks.js";

/** More would be slow to draw, and nobody looks at them all at once. */
const MOST_MARKS = 2000;
const WAIT_MS = 120;

/** Calls `onGo(range, paragraph)` for the match that is gone to. */
export class Find {
  #transcript;
  #input;
  #count;
  #onGo;
  #matches = [];
  #now = -1;
  #timer = 0;

  constructor(form, transcript, onGo) {
    this.#transcript = transcript;
    this.#onGo = onGo;
    this.#input = form.querySelector("input");
    this.#count = form.querySelector("output");
    this.#input.addEventListener("input", () => this.#later());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-find=next]").addEventListener("click", () => this.go(1));
    form.querySelector("[data-find=previous]").addEventListener("click", () => this.go(-1));
    transcript.addEventListener("shown", () => this.#later());
  }

  focus() {
    this.#input.focus();
    this.#input.select();
  }

  /** The next match (1), or the one before (-1), around the end. */
  go(direction) {
    this.#look();
    if (!this.#matches.length) return;
    const from = this.#now < 0 && direction < 0 ? 0 : this.#now;
    this.#now = (from + direction + this.#matches.length) % this.#matches.length;
    this.#show();
    const { element, paragraph, from: start, to } = this.#matches[this.#now];
    this.#onGo(this.#transcript.rangeIn(paragraph, start, to), element);
  }

  #key(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      this.go(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && this.#input.value) {
      event.preventDefault();
      this.#input.value = "";
      this.#look();
    }
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), WAIT_MS);
  }

  #look() {
    clearTimeout(this.#timer);
    const held = this.#matches[this.#now];
    const pattern = patternOf(this.#input.value);
    this.#matches = pattern ? this.#transcript.shown().flatMap((one) => matchesIn(one, pattern)) : [];
    this.#now = this.#matches.findIndex(({ element, from }) => element === held?.element && from === held?.from);
    this.#show();
  }

  #show() {
    const rangeOf = ({ paragraph, from, to }) => this.#transcript.rangeIn(paragraph, from, to);
    const first = Math.max(0, this.#now - MOST_MARKS / 2);
    mark("found", this.#matches.slice(first, first + MOST_MARKS).map(rangeOf));
    mark("found-now", this.#now < 0 ? [] : [rangeOf(this.#matches[this.#now])]);
    setText(this.#count, this.#told());
  }

  #told() {
    const total = this.#matches.length;
    if (!this.#input.value.trim()) return "";
    if (!total) return text("find_none");
    return this.#now < 0 ? text("find_count", { total }) : text("done_of", { done: this.#now + 1, total });
  }
}

/** The words that are asked for, in capitals or not, with any space between them; null where there are none. */
function patternOf(asked) {
  const words = asked.split(/\s+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return words.length ? new RegExp(words.join("\\s+"), "giu") : null;
}

function matchesIn({ element, paragraph }, pattern) {
  return [...paragraph.text.matchAll(pattern)].map(({ 0: found, index }) => ({ element, paragraph, from: index, to: index + found.length }));
}
