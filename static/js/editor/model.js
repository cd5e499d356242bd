// The transcript: what the server has, and on top of it what this page has changed and not sent yet.

import { Draft, byTime } from "./changes.js";
import { text } from "../texts.js";
import { colourOf, nameOf } from "../voices.js";

export class Model {
  #base = new Map();
  #sorted = null;
  #speakers;
  #outbox;
  draft;

  constructor(outbox, speakers) {
    this.#outbox = outbox;
    this.#speakers = speakers;
    this.derive();
  }

  get list() {
    return this.draft.list;
  }

  get speakers() {
    return this.draft.speakers;
  }

  get = (id) => this.draft.get(id);
  /** All that the server has. */
  get all() {
    return [...this.#base.values()];
  }

  base = (id) => this.#base.get(id);
  place = (id) => this.draft.places.get(id);

  /** What the server has now; older revisions than are known say nothing. */
  take(segments, removed = [], speakers = null) {
    for (const id of removed) this.#base.delete(id);
    for (const one of segments) {
      const known = this.#base.get(one.id);
      if (!known || known.revision <= one.revision) this.#base.set(one.id, one);
    }
    if (speakers) this.#speakers = speakers;
    this.#sorted = null;
  }

  /** The newest revision of any segment. */
  get newest() {
    return [...this.#base.values()].reduce((most, { revision }) => Math.max(most, revision), 0);
  }

  /** All of it anew; what has become known since the reading began, after revision `floor`, stays. */
  replace(segments, floor) {
    const news = [...this.#base.values()].filter(({ revision }) => revision > floor);
    this.#base = new Map(segments.map((one) => [one.id, one]));
    this.take(news);
  }

  derive() {
    this.#sorted ??= [...this.#base.values()].sort(byTime);
    const draft = new Draft(this.#sorted, this.#speakers);
    this.#outbox.applyTo(draft);
    this.draft = draft;
  }

  /** The place of the segment that is spoken at a time, or of the last one before it; -1 before the first. */
  placeAt(seconds) {
    let [low, high] = [0, this.list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle].start <= seconds + 0.01) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** How many segments may be wrong and were not looked at. */
  get doubts() {
    return this.list.reduce((count, { suspect, checked }) => count + Number(Boolean(suspect) && !checked), 0);
  }

  speaker(label) {
    const place = this.speakers.findIndex((one) => one.label === label);
    const { name, colour } = this.speakers[place] ?? {};
    const known = place < 0 ? {} : { colour, place };
    return { label, name: label ? nameOf(label, name) : text("speaker_none"), voice: colourOf(label, known) };
  }

  /** A label that no speaker has yet. */
  newLabel() {
    const numbers = this.speakers.map(({ label }) => Number(/^SPEAKER_(\d+)$/.exec(label)?.[1] ?? -1));
    return `SPEAKER_${String(Math.max(-1, ...numbers) + 1).padStart(2, "0")}`;
  }
}
