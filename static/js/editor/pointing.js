// Which character of a text a click met.

/** Its place in the element's text. */
export function caretAt(element, { clientX, clientY }) {
  const met = document.caretPositionFromPoint?.(clientX, clientY);
  const range = met ? null : document.caretRangeFromPoint?.(clientX, clientY);
  const [node, offset] = met ? [met.offsetNode, met.offset] : [range?.startContainer, range?.startOffset];
  if (!node || !element.contains(node)) return 0;
  const before = document.createRange();
  before.setStart(element, 0);
  before.setEnd(node, offset);
  return before.toString().length;
}
