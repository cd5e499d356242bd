// The page scrolls along with what is said, until somebody scrolls by hand.

import { setData } from "../dom.js";

const SCROLLING = new Set(["PageUp", "PageDown", "Home", "End"]);

export class Follow {
  #button;
  #isOn = true;

  /** `top()`: how much of the window's top is covered. */
  constructor(button, top) {
    this.#button = button;
    this.top = top;
    for (const kind of ["wheel", "touchmove"]) addEventListener(kind, () => this.set(false), { passive: true });
    addEventListener("keydown", ({ key }) => SCROLLING.has(key) && this.set(false));
    addEventListener("pointerdown", ({ target, clientX }) => {
      const isScrollbar = target === document.documentElement && clientX >= document.documentElement.clientWidth;
      if (isScrollbar) this.set(false);
    });
  }

  get isOn() {
    return this.#isOn;
  }

  set(isOn) {
    if (this.#isOn === isOn) return;
    this.#isOn = isOn;
    setData(this.#button, "on", isOn ? "yes" : "no");
    this.#button.setAttribute("aria-pressed", String(isOn));
  }

  /** Brings what is said into view, where it is not. */
  show(range, paragraph) {
    if (!this.#isOn) return;
    const outer = paragraph.getBoundingClientRect();
    const seen = [this.top(), innerHeight - 48];
    const isFar = outer.bottom < seen[0] || outer.top > seen[1];
    const { top, bottom } = isFar || !range ? outer : range.getBoundingClientRect();
    if (!isFar && top >= seen[0] && Math.min(bottom, top + 80) <= seen[1]) return;
    const middle = seen[0] + (seen[1] - seen[0]) / 3;
    scrollBy({ top: top - middle, behavior: isFar || isCalm() ? "auto" : "smooth" });
  }
}

export const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
