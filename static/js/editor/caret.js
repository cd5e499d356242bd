// Where the caret stands in an editable element, counted in characters of its text, and how to put it somewhere.

function nodeAt(element, offset) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let rest = offset;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (rest <= node.length) return [node, rest];
    rest -= node.length;
  }
  return [element, element.childNodes.length];
}

/** A range over some characters of the element's text. */
export function rangeOf(element, from, to = from) {
  const range = document.createRange();
  range.setStart(...nodeAt(element, from));
  range.setEnd(...nodeAt(element, to));
  return range;
}

/** {from, to} of the selection inside the element, or null. */
export function selectionIn(element) {
  const selection = getSelection();
  if (!selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  if (!element.contains(range.startContainer) || !element.contains(range.endContainer)) return null;
  const before = document.createRange();
  before.setStart(element, 0);
  before.setEnd(range.startContainer, range.startOffset);
  const from = before.toString().length;
  return { from, to: from + range.toString().length };
}

export function select(element, from, to = from) {
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(rangeOf(element, from, to));
}

/** Whether the caret is in the first ("up") or the last line ("down") of the element. */
export function isAtEdge(element, direction) {
  const selection = getSelection();
  if (!selection.rangeCount || !selection.isCollapsed) return false;
  const caret = selection.getRangeAt(0).getClientRects()[0];
  if (!caret) return true;
  const box = element.getBoundingClientRect();
  const room = caret.height * 1.2;
  return direction === "up" ? caret.top - box.top < room : box.bottom - caret.bottom < room;
}
