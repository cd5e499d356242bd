// The recording and the text in step: the word that is said is marked, and a click in the text plays from there.

import { paint, rangeOf, reveal } from "./marks.js";

/** `audio` in step with `article`; null where there is nothing to play. */
export function listen(article, audio) {
  if (!audio) return null;
  const player = new Player(article, audio);
  player.start();
  return player;
}

class Player {
  #article;
  #audio;
  #sentences = [];
  #times = [];
  #shown = "";
  #follows = true;
  #button = document.getElementById("follow");

  constructor(article, audio) {
    this.#article = article;
    this.#audio = audio;
  }

  start() {
    const speed = document.getElementById("speed");
    speed.addEventListener("change", () => { this.#audio.playbackRate = Number(speed.value); });
    this.#button.addEventListener("click", () => this.#follow(!this.#follows));
    for (const kind of ["wheel", "touchmove"]) addEventListener(kind, () => this.#follow(false), { passive: true });
    this.#audio.addEventListener("play", () => {
      this.#audio.parentElement.dataset.heard = "";
      this.#load();
      this.#step();
    });
    this.#audio.addEventListener("seeked", () => this.#show());
    this.#article.addEventListener("click", (event) => this.#playFrom(event));
  }

  /** Nothing is loaded before somebody plays; from then on a time is gone to at once. */
  seek(second) {
    if (this.#audio.readyState > 0) this.#audio.currentTime = second;
    else this.#audio.addEventListener("loadedmetadata", () => { this.#audio.currentTime = second; }, { once: true });
  }

  async #load() {
    if (this.#sentences.length) return;
    this.#sentences = [...this.#article.querySelectorAll(".paragraph p > span")];
    try {
      const answer = await fetch(this.#article.dataset.words);
      if (answer.ok) this.#times = (await answer.json()).map(unfolded);
    } catch { /* Without them the recording plays all the same. */ }
    // A text that was corrected since the page was opened is another one.
    if (this.#times.length !== this.#sentences.length) this.#times = [];
  }

  #follow(follows) {
    this.#follows = follows;
    this.#button.setAttribute("aria-pressed", String(follows));
    if (follows) this.#shown = "";
  }

  #step() {
    this.#show();
    if (!this.#audio.paused) requestAnimationFrame(() => this.#step());
  }

  #show() {
    const now = Math.round(this.#audio.currentTime * 100);
    const place = lastBefore(this.#times, now + 1, (sentence) => sentence.start);
    const words = this.#times[place]?.words ?? [];
    const word = lastBefore(words, now + 1, ({ start }) => start);
    if (this.#shown === `${place}.${word}`) return;
    this.#shown = `${place}.${word}`;
    this.#mark(this.#sentences[place], words, word);
  }

  #mark(sentence, words, word) {
    if (!sentence || !this.#times.length) return;
    const length = sentence.textContent.length;
    paint("said", [rangeOf(sentence, 0, length)].filter(Boolean));
    const to = words[word + 1]?.at ?? length;
    paint("word", words[word] ? [rangeOf(sentence, words[word].at, to)].filter(Boolean) : []);
    if (this.#follows && !this.#audio.paused) reveal(sentence, false);
  }

  /** Only once somebody listens, and never where text was selected. */
  #playFrom(event) {
    const sentence = event.target.closest(".paragraph p > span");
    const place = this.#sentences.indexOf(sentence);
    if (place < 0 || !this.#times[place] || !getSelection().isCollapsed) return;
    const letter = letterAt(event, sentence);
    const { start, words } = this.#times[place];
    const word = words[lastBefore(words, letter + 1, ({ at }) => at)];
    this.#audio.currentTime = (word?.start ?? start) / 100;
  }
}

/** [start, letters, time, letters, time, …] of a sentence → {start, words: [{at, start}]}, in hundredths of a second. */
function unfolded([start, ...steps]) {
  const words = [];
  let [at, time] = [0, start];
  for (let step = 0; step < steps.length; step += 2) {
    at += steps[step];
    time += steps[step + 1];
    words.push({ at, start: time });
  }
  return { start, words };
}

/** Index of the last item whose value is below `limit`, of a list in order; -1 where there is none. */
function lastBefore(items, limit, valueOf) {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueOf(items[middle]) < limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function letterAt(event, sentence) {
  const caret = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  return caret && sentence.contains(caret.offsetNode) ? caret.offset : 0;
}
