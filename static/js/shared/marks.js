// Marks on the text that leave its elements as they are: the browser paints them, however many there are.

const canPaint = Boolean(globalThis.CSS?.highlights && globalThis.Highlight);

/** Paints ranges in the way that the stylesheet has for ::highlight(name). */
export function paint(name, ranges) {
  if (!canPaint) return;
  if (ranges.length) CSS.highlights.set(name, new Highlight(...ranges));
  else CSS.highlights.delete(name);
}

/** The range from one letter of an element's text to another. */
export function rangeOf(element, from, to) {
  const range = document.createRange();
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let passed = 0;
  let started = false;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const end = passed + node.length;
    if (!started && from < end) {
      range.setStart(node, from - passed);
      started = true;
    }
    if (started && to <= end) {
      range.setEnd(node, to - passed);
      return range;
    }
    passed = end;
  }
  return null;
}

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Brings an element into the middle of what is seen, unless it is in sight already. */
export function reveal(element, always = true) {
  const { top, bottom } = element.getBoundingClientRect();
  if (!always && top > innerHeight * 0.15 && bottom < innerHeight * 0.8) return;
  element.scrollIntoView({ block: "center", behavior: still.matches || always ? "auto" : "smooth" });
}
