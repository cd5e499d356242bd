// The transcript as it grows and as people correct it: segments in order of time, in paragraphs. Tells by "shown" that it has changed.

import { clock } from "./format.js";
import { stamp } from "./dom.js";
import { inOtherWords, joint, paragraphs } from "./paragraphs.js";
import { hashOf } from "./place.js";
import { label } from "./texts.js";
import { Voices } from "./voices.js";
import { textOf } from "./wordplaces.js";

export { paragraphs };

/** How many segments before a moment may still be spoken then: people talk at the same time. */
const OVERLAPPING = 20;

export class TranscriptView extends EventTarget {
  #root;
  #segments = [];
  #byId = new Map();
  #shown = new Map();
  #spans = new Map();
  #voices = new Voices();
  #other = null;

  constructor(root) {
    super();
    this.#root = root;
  }

  get size() {
    return this.#segments.length;
  }

  /** Adds segments that are not shown yet, those that are news softly, and newer states of others; returns how many. */
  add(segments, news = false) {
    const fresh = segments.filter((segment) => this.#isNews(segment));
    if (!fresh.length) return 0;
    this.#take(fresh);
    this.#show(new Set(news ? fresh.map((segment) => segment.id) : []));
    return fresh.length;
  }

  /** A correction: some segments are gone, others are new or changed. */
  change({ removed = [], segments = [] }) {
    for (const id of removed) this.#byId.delete(id);
    this.#take(segments.filter((segment) => this.#isNews(segment)));
    this.#show(new Set());
  }

  /** Shows these segments in place of all others. */
  replace(segments) {
    this.#byId.clear();
    this.#take(segments);
    this.#show(new Set());
  }

  clear() {
    this.replace([]);
  }

  /** Names and colours, as the job's diarization tells them. */
  speakers(told) {
    if (!this.#voices.take(told)) return;
    for (const { element, paragraph } of this.#shown.values()) this.#nameSpeaker(element, paragraph);
    this.dispatchEvent(new Event("named"));
  }

  /** Shows other texts, by segment's id, beside the segments' own; none of them when they are null. */
  beside(texts, language) {
    this.#other = texts && { texts, language };
    this.#root.classList.toggle("beside", Boolean(texts));
    for (const { element, paragraph } of this.#shown.values()) this.#showOther(element, paragraph);
  }

  /** The segment that is spoken at a time, or the last one before it. */
  segmentAt(seconds) {
    const place = this.#indexAt(seconds);
    for (let before = place; before > place - OVERLAPPING && before >= 0; before -= 1) {
      if (this.#segments[before].end > seconds) return this.#segments[before];
    }
    return this.#segments[place];
  }

  /** The element of the segment that is spoken at a time, or of the last one before it. */
  at(seconds) {
    for (let place = this.#indexAt(seconds); place >= 0; place -= 1) {
      const span = this.#spans.get(this.#segments[place].id);
      if (span) return span;
    }
    return undefined;
  }

  /** Whether something is there that is spoken at this time or later. */
  reaches(seconds) {
    return this.#segments.some((segment) => segment.end >= seconds);
  }

  segmentOf(span) {
    return this.#byId.get(Number(span.dataset.id));
  }

  /** {element, paragraph} of each paragraph, in order. */
  shown() {
    return [...this.#shown.values()];
  }

  paragraphOf(element) {
    return this.#shown.get(element.dataset.key)?.paragraph;
  }

  /** Characters of a segment's text; null where it is not shown. */
  range(segment, from, to) {
    const words = this.#spans.get(segment.id)?.firstChild;
    return words && to <= words.length ? rangeOf(words, from, words, to) : null;
  }

  /** Characters of a paragraph's text, which may lie in several segments. */
  rangeIn({ segments, offsets }, from, to) {
    const [first, last] = [offsets.findLastIndex((offset) => offset <= from), offsets.findLastIndex((offset) => offset < to)];
    const [start, end] = [first, last].map((place) => this.#spans.get(segments[place].id)?.firstChild);
    if (!start || !end) return null;
    return rangeOf(start, Math.min(from - offsets[first], start.length), end, Math.min(to - offsets[last], end.length));
  }

  /** What is read: in the other language where one is shown. */
  text() {
    return paragraphs(this.#segments)
      .map((paragraph) => ({ ...paragraph, text: this.#other ? inOtherWords(paragraph, this.#other.texts) : paragraph.text }))
      .map(({ speaker, text: words }) => (speaker ? `${this.#voices.nameOf(speaker)}: ${words}` : words))
      .join("\n\n");
  }

  #isNews({ id, revision = 0 }) {
    const before = this.#byId.get(id);
    return !before || revision > (before.revision ?? 0);
  }

  #take(segments) {
    for (const segment of segments) this.#byId.set(segment.id, segment);
    this.#segments = [...this.#byId.values()].sort(inOrder);
  }

  /** The last segment that begins at this time or before; -1 where there is none. */
  #indexAt(seconds) {
    let [low, high] = [0, this.#segments.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#segments[middle].start <= seconds + 0.05) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Paragraphs that stay the same keep their elements, so that what is being read does not move or lose a selection. */
  #show(fresh) {
    const wanted = new Map(paragraphs(this.#segments).map((paragraph) => [keyOf(paragraph), paragraph]));
    const kept = new Map();
    for (const [key, one] of this.#shown) {
      if (wanted.has(key)) kept.set(key, one);
      else this.#remove(one);
    }
    this.#shown = new Map();
    let before = null;
    for (const [key, paragraph] of wanted) {
      const one = kept.get(key) ?? { element: this.#draw(paragraph, key, fresh) };
      if (!kept.has(key)) {
        if (before) before.after(one.element);
        else this.#root.prepend(one.element);
      }
      this.#shown.set(key, { element: one.element, paragraph });
      before = one.element;
    }
    this.dispatchEvent(new Event("shown"));
  }

  #remove({ element, paragraph }) {
    element.remove();
    for (const { id } of paragraph.segments) {
      if (element.contains(this.#spans.get(id))) this.#spans.delete(id);
    }
  }

  #draw(paragraph, key, fresh) {
    const element = stamp("paragraph");
    element.dataset.key = key;
    const place = element.querySelector(".clock");
    place.textContent = clock(paragraph.start);
    place.href = hashOf(paragraph.start);
    const body = element.querySelector("p");
    // A name has a direction of its own and does not decide that of the text.
    if (paragraph.speaker) body.append(Object.assign(document.createElement("b"), { dir: "auto" }));
    this.#nameSpeaker(element, paragraph);
    let before = "";
    for (const segment of paragraph.segments) {
      const words = textOf(segment);
      const span = spanOf(segment, words);
      if (fresh.has(segment.id)) span.classList.add("new");
      this.#spans.set(segment.id, span);
      body.append(before && joint(before, words), span);
      before = words;
    }
    this.#showOther(element, paragraph);
    return element;
  }

  #nameSpeaker(element, { speaker }) {
    const name = element.querySelector("p > b");
    if (!name) return;
    name.className = "speaker voice";
    name.dataset.voice = this.#voices.colourOf(speaker);
    name.textContent = this.#voices.nameOf(speaker);
  }

  #showOther(element, paragraph) {
    element.querySelector(".other")?.remove();
    if (!this.#other) return;
    const body = document.createElement("p");
    body.className = "other";
    body.lang = this.#other.language;
    body.dir = "auto";
    body.textContent = inOtherWords(paragraph, this.#other.texts);
    element.append(body);
  }
}

const inOrder = (a, b) => a.start - b.start || a.id - b.id;

const newest = (segments) => segments.reduce((most, { revision = 0 }) => Math.max(most, revision), 0);

const keyOf = ({ segments, speaker, text }) =>
  [segments[0].id, segments.at(-1).id, segments.length, speaker ?? "", text.length, newest(segments)].join("-");

function rangeOf(start, from, end, to) {
  const range = document.createRange();
  range.setStart(start, from);
  range.setEnd(end, to);
  return range;
}

function spanOf(segment, words) {
  const span = document.createElement("span");
  span.textContent = words;
  span.dataset.id = segment.id;
  span.dataset.start = segment.start;
  span.title = `${clock(segment.start)}–${clock(segment.end)}`;
  if (segment.suspect && !segment.checked) {
    span.classList.add("suspect");
    span.title += ` · ${label("suspect", segment.suspect)}`;
  }
  return span;
}
