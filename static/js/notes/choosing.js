// Words are chosen with mouse, finger or keyboard; a small bar then offers to highlight them or to write about them.

import { clock } from "../format.js";
import { field, setHidden, setText } from "../dom.js";
import { text } from "../texts.js";
import { mark } from "../listening/marks.js";
import { withinParagraph, stretchOf } from "./places.js";

const SETTLED_MS = 200;
const BELOW_PX = 8;

export class Choosing {
  #root;
  #bar;
  #transcript;
  #chosen = null;
  #from = null;
  #timer = 0;
  #isPressed = false;

  /** `bar` has buttons with data-act; `onAct(act, {start, end}, button)` does what they say. `onShow({start, end})`. */
  constructor(root, bar, transcript, { onAct, onShow }) {
    Object.assign(this, { onAct, onShow });
    this.#root = root;
    this.#bar = bar;
    this.#transcript = transcript;
    bar.addEventListener("pointerdown", (event) => event.preventDefault());
    bar.addEventListener("click", ({ target }) => this.#clicked(target.closest("[data-act]")));
    bar.addEventListener("keydown", (event) => this.#key(event));
    addEventListener("pointerdown", (event) => this.#pressed(event));
    for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, () => this.#released());
    document.addEventListener("selectionchange", () => this.#later());
  }

  /** By keyboard: what is selected, else a segment, from which the arrows lead to the next ones. */
  open(segment) {
    const stretch = this.#selected() ?? segment;
    if (!stretch) return;
    this.#from = document.activeElement;
    this.#show({ start: stretch.start, end: stretch.end });
    this.#bar.querySelector("button").focus({ preventScroll: true });
  }

  close() {
    if (this.#bar.hidden) return;
    const held = this.#bar.contains(document.activeElement);
    setHidden(this.#bar, true);
    this.#chosen = null;
    mark("note-chosen", []);
    if (held) this.#from?.focus({ preventScroll: true });
    this.#from = null;
  }

  say(sentence) {
    setText(field(this.#bar, "error"), sentence);
  }

  #pressed({ target }) {
    this.#isPressed = true;
    if (this.#from && !this.#bar.contains(target)) this.close();
  }

  #released() {
    this.#isPressed = false;
    this.#later();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), SETTLED_MS);
  }

  /** A selection opens the bar, and its end closes it; what the keyboard has chosen stays. */
  #look() {
    if (this.#isPressed) return;
    const stretch = this.#selected();
    if (stretch) this.#show(stretch);
    else if (!this.#from) this.close();
  }

  #selected() {
    const selection = getSelection();
    if (selection.isCollapsed || !selection.rangeCount) return null;
    const range = selection.getRangeAt(0);
    return range.intersectsNode(this.#root) ? stretchOf(range, this.#transcript) : null;
  }

  #show(stretch) {
    this.#chosen = stretch;
    this.say("");
    const ranges = this.#rangesOf(stretch);
    mark("note-chosen", this.#from ? ranges : []);
    setText(field(this.#bar, "chosen"), text("note_place", { time: clock(stretch.start) }));
    this.onShow(stretch);
    setHidden(this.#bar, false);
    const last = ranges.at(-1);
    if (last) this.#place(last);
  }

  #rangesOf(stretch) {
    const near = this.#transcript.shown().filter(({ paragraph }) => paragraph.start <= stretch.end && paragraph.end >= stretch.start);
    return near.flatMap(({ paragraph }) => {
      const found = withinParagraph(paragraph, stretch);
      return (found && this.#transcript.rangeIn(paragraph, ...found)) ?? [];
    });
  }

  /** Beneath the last line of what is chosen. On a narrow screen css/notes.css puts it at the bottom. */
  #place(range) {
    const [around, line] = [this.#bar.offsetParent?.getBoundingClientRect(), [...range.getClientRects()].at(-1)];
    if (!around || !line) return;
    const most = around.width - this.#bar.offsetWidth - BELOW_PX;
    const left = Math.max(BELOW_PX, Math.min(line.right - around.left - this.#bar.offsetWidth / 2, most));
    this.#bar.style.setProperty("--bar-top", `${line.bottom - around.top + BELOW_PX}px`);
    this.#bar.style.setProperty("--bar-left", `${left}px`);
    if (this.#from) this.#bar.scrollIntoView({ block: "nearest" });
  }

  #clicked(button) {
    if (!button || !this.#chosen) return;
    this.onAct(button.dataset.act, this.#chosen, button);
  }

  #key(event) {
    const buttons = [...this.#bar.querySelectorAll("button")].filter((one) => !one.hidden);
    const here = buttons.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) buttons[(here + step + buttons.length) % buttons.length].focus();
    else if (event.key === "Escape") this.close();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") this.#move(event.key === "ArrowDown" ? 1 : -1);
    else return;
    event.preventDefault();
  }

  /** To the segment before or after the one that is chosen. */
  #move(direction) {
    const segments = this.#transcript.shown().flatMap(({ paragraph }) => paragraph.segments);
    const here = this.#chosen;
    const next = direction > 0 ? segments.find(({ start }) => start > here.start) : segments.findLast(({ start }) => start < here.start);
    if (next) this.#show({ start: next.start, end: next.end });
  }
}
