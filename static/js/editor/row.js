// One segment on the page: its time, its speaker, its text that is edited in place, and a doubt where there is one.

import { setData, setHidden, setText, stamp } from "../dom.js";
import { clock } from "../format.js";
import { label, text } from "../texts.js";
import { select, selectionIn } from "./caret.js";

/** What of a text counts: the server keeps one space between words and none around them. */
export const squeezed = (value) => value.split(/\s+/).filter(Boolean).join(" ");

/** Lines and other blanks as the one space that they stand for in a transcript. */
export const plain = (value) => value.replace(/[\n\r\t\u00a0\u2028\u2029]+/g, " ");

export class Row {
  #composing = false;

  constructor(segment, context) {
    this.element = stamp("segment");
    [this.time, this.who, this.said, this.doubt] = ["time", "who", "said", "doubt"].map((name) => this.element.querySelector(`.${name}`));
    if (this.said.contentEditable !== "plaintext-only") this.said.contentEditable = "true";
    this.said.addEventListener("compositionstart", () => (this.#composing = true));
    this.said.addEventListener("compositionend", () => (this.#composing = false));
    this.update(segment, context);
  }

  get id() {
    return this.segment.id;
  }

  /** What stands in the field. */
  get text() {
    return plain(this.said.textContent);
  }

  update(segment, context) {
    this.segment = segment;
    setData(this.element, "id", segment.id);
    setText(this.time, clock(segment.start));
    const speaker = context.speaker(segment.speaker);
    setText(this.who, speaker.name);
    setData(this.who, "voice", segment.speaker ? speaker.voice : "none");
    this.#show(segment.text);
    this.#showDoubt(segment);
    this.showNumber(context.place(segment.id), context.count());
  }

  showNumber(place, count) {
    this.element.setAttribute("aria-posinset", place + 1);
    this.element.setAttribute("aria-setsize", count);
    const [n, time, speaker] = [place + 1, this.time.textContent, this.who.textContent];
    this.said.setAttribute("aria-label", text("edit_segment", { n, time, speaker }));
    this.time.setAttribute("aria-label", text("edit_play_from", { time }));
    this.who.setAttribute("aria-label", text("edit_speaker_is", { speaker }));
  }

  /** The text of a field that is being written in keeps its caret. */
  #show(shown) {
    if (this.#composing || this.text === shown) return;
    const caret = document.activeElement === this.said && selectionIn(this.said);
    // A space that was just typed waits for its word.
    if (caret && squeezed(this.text) === squeezed(shown)) return;
    this.said.textContent = shown;
    if (caret) select(this.said, Math.min(caret.from, shown.length));
  }

  #showDoubt({ suspect, checked }) {
    const isOpen = Boolean(suspect) && !checked;
    this.element.classList.toggle("suspect", isOpen);
    setHidden(this.doubt, !isOpen);
    if (isOpen) setText(this.doubt.querySelector("span"), label("suspect", suspect));
  }

  focus(offset = 0) {
    this.said.focus({ preventScroll: true });
    select(this.said, Math.min(offset, this.text.length));
  }

  /** The one that is worked on: its buttons can be reached with the Tab key. */
  setCurrent(isCurrent) {
    this.element.classList.toggle("current", isCurrent);
    for (const button of [this.time, this.who]) button.tabIndex = isCurrent ? 0 : -1;
  }

  showClash(box) {
    const shown = this.element.querySelector(".clash");
    if (shown === box) return;
    shown?.remove();
    if (box) this.element.append(box);
    this.element.classList.toggle("clashing", Boolean(box));
  }
}
