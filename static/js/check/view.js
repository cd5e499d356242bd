// Draws one place to check: what was written there with its marks, why it is shown, and the field to change it in.

import { field, setHidden, setProgress, setText } from "../dom.js";
import { clock } from "../format.js";
import { data, text } from "../texts.js";
import { tidy } from "./changes.js";

const LEAST_SECONDS = 3;
const MARGIN_SECONDS = 0.75;
const reasons = data("texts").reasons;
export const spot = document.getElementById("spot");
export const input = document.getElementById("spot-text");

export function show(walk, typed) {
  const { place } = walk;
  const count = walk.places.length;
  setText(field(spot, "place"), text(walk.more ? "check_more" : "check_place", { n: walk.at + 1, total: count }));
  setProgress(spot.querySelector("progress"), (100 * (count - walk.open.length)) / count);
  setText(field(spot, "clock"), clock(place.start));
  setText(field(spot, "reason"), reasons[place.reason]);
  showText(place);
  input.value = typed ?? place.text;
  showClash(null);
  showAccept(place);
}

export function showText(place) {
  const term = place.pieces.find((piece) => piece.term)?.term ?? "";
  setText(field(spot, "term"), term && text("check_term", { term }));
  field(spot, "said").replaceChildren(...place.pieces.map(drawn));
  const suggested = spot.querySelector('[data-act="suggested"]');
  setHidden(suggested, !term);
  setText(field(spot, "suggested"), term && text("check_use_term", { term }));
}

/** A mark can be pressed, and is then heard by itself. */
function drawn(piece) {
  if (!piece.reason) return document.createTextNode(piece.text);
  const mark = document.createElement("mark");
  mark.textContent = piece.text;
  Object.assign(mark.dataset, { start: piece.start, end: piece.end });
  return mark;
}

/** What Enter does now: a text that was changed is saved, any other is right as it is. */
export function showAccept(place) {
  const name = field(spot, "accept");
  const kind = isChanged(place) ? "save" : place.segment ? "right" : "nothing";
  setText(name, name.dataset[kind]);
}

export const isChanged = (place) => tidy(input.value) !== tidy(place.text);

/** What somebody else wrote is in the field; one's own text stays in sight. */
export function showClash(mine, told = "") {
  setHidden(field(spot, "clash"), mine === null);
  setText(field(spot, "clash-told"), told);
  setText(field(spot, "mine"), mine);
}

export const clashing = () => field(spot, "mine").textContent;

/** The seconds to hear: what is marked with a little around it, three at least. */
export function span(start, end, duration) {
  const middle = (start + end) / 2;
  const from = Math.max(0, Math.min(start - MARGIN_SECONDS, middle - LEAST_SECONDS / 2));
  const to = Math.max(end + MARGIN_SECONDS, from + LEAST_SECONDS);
  return [from, duration ? Math.min(to, duration) : to];
}
