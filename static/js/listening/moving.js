// From paragraph to paragraph by keyboard, and to what is said at a time.

import { isCalm } from "./follow.js";

/** Brings what is spoken at a time into view and moves the focus there; false where it is not there yet. */
export function goTo(transcript, seconds) {
  const place = transcript.at(seconds);
  if (!place) return false;
  for (const other of document.querySelectorAll(".text .found")) other.classList.remove("found");
  place.classList.add("found");
  focusOn(place.closest(".paragraph"));
  const isFar = Math.abs(place.getBoundingClientRect().top) > 3 * innerHeight;
  const go = (behavior) => place.scrollIntoView({ block: "center", behavior });
  go(isCalm() || isFar ? "instant" : "smooth");
  // What is far away is as high as it is guessed to be until it is near.
  if (isFar) requestAnimationFrame(() => requestAnimationFrame(() => go("instant")));
  return true;
}

function focusOn(paragraph) {
  paragraph.tabIndex = -1;
  paragraph.focus({ preventScroll: true });
}

/** The paragraph before (-1) or after (1) the one that has the focus, is played, or is seen first. */
export function step(root, direction) {
  const here = root.querySelector(".paragraph:focus-within") ?? root.querySelector(".paragraph.playing");
  const there = here ? (direction > 0 ? here.nextElementSibling : here.previousElementSibling) : firstSeen(root);
  if (!there) return null;
  focusOn(there);
  there.scrollIntoView({ block: "center", behavior: "auto" });
  return there;
}

const firstSeen = (root) => [...root.children].find((one) => one.getBoundingClientRect().bottom > 160);

/** The character of a segment's text under a pointer; null where the browser does not tell. */
export function characterAt(span, x, y) {
  const caret = document.caretPositionFromPoint?.(x, y);
  if (caret) return caret.offsetNode === span.firstChild ? caret.offset : null;
  const range = document.caretRangeFromPoint?.(x, y);
  return range?.startContainer === span.firstChild ? range.startOffset : null;
}
