// The transcript as it grows: segments in order of time, gathered into paragraphs by the rule that the downloads use.

import { clock } from "./format.js";
import { stamp } from "./dom.js";
import { label, text } from "./texts.js";

const PAUSE_SECONDS = 2;
const PARAGRAPH_CHARACTERS = 600;
const LONGEST_PARAGRAPH_CHARACTERS = 1500;
const SENTENCE_END = /[.!?…。！？।؟]$/;
const UNSPACED = /[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]/;

const joint = (left, right) => (UNSPACED.test(left.at(-1) ?? "") && UNSPACED.test(right[0] ?? "") ? "" : " ");

function breaks(paragraph, segment) {
  if (segment.start - paragraph.end > PAUSE_SECONDS || segment.speaker !== paragraph.speaker) return true;
  const { length } = paragraph.text;
  return length > LONGEST_PARAGRAPH_CHARACTERS || (length > PARAGRAPH_CHARACTERS && SENTENCE_END.test(paragraph.text));
}

/** Segments in order → paragraphs {start, end, speaker, text, segments}. */
export function paragraphs(segments) {
  const found = [];
  for (const segment of segments) {
    const words = segment.text.split(/\s+/).filter(Boolean).join(" ");
    if (!words) continue;
    let last = found.at(-1);
    if (!last || breaks(last, segment)) {
      last = { start: segment.start, speaker: segment.speaker, text: "", segments: [] };
      found.push(last);
    }
    last.text += last.text ? joint(last.text, words) + words : words;
    last.end = segment.end;
    last.segments.push(segment);
  }
  return found;
}

export class TranscriptView {
  #root;
  #segments = [];
  #seen = new Set();
  #shown = new Map();
  #other = null;

  constructor(root) {
    this.#root = root;
  }

  get size() {
    return this.#segments.length;
  }

  /** Adds the segments that are not shown yet, those that are news softly; returns how many there were. */
  add(segments, news = false) {
    const fresh = segments.filter((segment) => !this.#seen.has(segment.id));
    if (!fresh.length) return 0;
    for (const segment of fresh) this.#seen.add(segment.id);
    this.#segments.push(...fresh);
    this.#segments.sort((a, b) => a.start - b.start || a.id - b.id);
    this.#show(new Set(news ? fresh.map((segment) => segment.id) : []));
    return fresh.length;
  }

  /** Shows these segments in place of all others. */
  replace(segments) {
    this.#segments = [];
    this.#seen.clear();
    this.add(segments);
    if (!segments.length) this.#show(new Set());
  }

  clear() {
    this.#segments = [];
    this.#seen.clear();
    this.#shown.clear();
    this.#root.replaceChildren();
  }

  /** Shows other texts, by segment's id, beside the segments' own; none of them when they are null. */
  beside(texts, language) {
    this.#other = texts && { texts, language };
    this.#root.classList.toggle("beside", Boolean(texts));
    for (const paragraph of paragraphs(this.#segments)) this.#showOther(this.#shown.get(keyOf(paragraph)), paragraph);
  }

  /** The element of the segment that is spoken at a time, or of the last one before it. */
  at(seconds) {
    return [...this.#root.querySelectorAll("[data-start]")].findLast(({ dataset }) => Number(dataset.start) <= seconds + 0.05);
  }

  /** Whether something is there that is spoken at this time or later. */
  reaches(seconds) {
    return this.#segments.some((segment) => segment.end >= seconds);
  }

  /** What is read: in the other language where one is shown. */
  text() {
    return paragraphs(this.#segments)
      .map((paragraph) => ({ ...paragraph, text: this.#other ? joined(paragraph, this.#other.texts) : paragraph.text }))
      .map(({ speaker, text: words }) => (speaker ? `${nameOf(speaker)}: ${words}` : words))
      .join("\n\n");
  }

  #showOther(element, paragraph) {
    element.querySelector(".other")?.remove();
    if (!this.#other) return;
    const body = document.createElement("p");
    body.className = "other";
    body.lang = this.#other.language;
    body.dir = "auto";
    body.textContent = joined(paragraph, this.#other.texts);
    element.append(body);
  }

  /** Paragraphs that stay the same keep their elements, so that what is being read does not move or lose a selection. */
  #show(fresh) {
    const wanted = new Map();
    for (const paragraph of paragraphs(this.#segments)) wanted.set(keyOf(paragraph), paragraph);
    for (const [key, element] of this.#shown) {
      if (wanted.has(key)) continue;
      element.remove();
      this.#shown.delete(key);
    }
    let before = null;
    for (const [key, paragraph] of wanted) {
      let element = this.#shown.get(key);
      if (!element) {
        element = draw(paragraph, fresh);
        this.#shown.set(key, element);
        this.#showOther(element, paragraph);
        if (before) before.after(element);
        else this.#root.prepend(element);
      }
      before = element;
    }
  }
}

const keyOf = ({ segments, speaker, text }) => `${segments[0].id}-${segments.at(-1).id}-${segments.length}-${speaker ?? ""}-${text.length}`;

/** “Speaker 1” for SPEAKER_00, in the reader's language; another label is its own name. */
function nameOf(speaker) {
  const number = /^SPEAKER_(\d+)$/.exec(speaker)?.[1];
  return number ? text("speaker", { n: Number(number) + 1 }) : speaker;
}

/** A paragraph's segments in other words. */
function joined({ segments }, texts) {
  const words = segments.map((segment) => (texts.get(segment.id) ?? "").split(/\s+/).filter(Boolean).join(" "));
  return words.filter(Boolean).reduce((before, next) => (before ? before + joint(before, next) + next : next), "");
}

function draw(paragraph, fresh) {
  const element = stamp("paragraph");
  const body = element.querySelector("p");
  element.querySelector(".clock").textContent = clock(paragraph.start);
  if (paragraph.speaker) {
    const speaker = document.createElement("b");
    speaker.className = "speaker";
    speaker.textContent = nameOf(paragraph.speaker);
    body.append(speaker);
  }
  let before = "";
  for (const segment of paragraph.segments) {
    const words = segment.text.split(/\s+/).filter(Boolean).join(" ");
    const span = document.createElement("span");
    span.textContent = words;
    span.dataset.start = segment.start;
    span.title = `${clock(segment.start)}–${clock(segment.end)}`;
    if (fresh.has(segment.id)) span.className = "new";
    if (segment.suspect) {
      span.classList.add("suspect");
      span.title += ` · ${label("suspect", segment.suspect)}`;
    }
    body.append(before && joint(before, words), span);
    before = words;
  }
  return element;
}
