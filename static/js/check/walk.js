// The places to check, which of them is looked at, and what became of each. Knows neither the page nor the server.

import { remark } from "./changes.js";

export class Walk {
  places = [];
  at = 0;
  more = false;
  #undo = [];

  /** Further spots, as the server tells them; those that are here already are left out. */
  add(spots, more) {
    const known = new Set(this.places.map(keyOf));
    this.places.push(...spots.filter((spot) => !known.has(keyOf(spot))).map((spot) => ({ ...spot, outcome: "" })));
    this.more = more;
  }

  get place() {
    return this.places[this.at];
  }

  get open() {
    return this.places.filter(({ outcome }) => !outcome);
  }

  count(outcome) {
    return this.places.filter((place) => place.outcome === outcome).length;
  }

  /** To the next place that is open, from here on; false at the end. */
  next() {
    const following = this.places.findIndex(({ outcome }, index) => index > this.at && !outcome);
    this.at = following < 0 ? this.places.length : following;
    return following >= 0;
  }

  previous() {
    this.at = Math.max(0, Math.min(this.at, this.places.length) - 1);
  }

  /** From the beginning: to what was left for later. */
  again() {
    this.at = -1;
    return this.next();
  }

  /** What became of a place, and how it is taken back. */
  settle(place, outcome, number) {
    place.outcome = outcome;
    this.#undo.push({ place, number });
  }

  replaced(number) {
    this.#undo.push({ place: this.place, number });
  }

  get undoable() {
    return this.#undo.length > 0;
  }

  lastDone() {
    return this.#undo.at(-1);
  }

  tookBack({ place }) {
    this.#undo.pop();
    place.outcome = "";
    this.at = this.places.indexOf(place);
  }

  /** Segments as they are now. A place that another correction has dealt with is done. */
  take(segments, removed = []) {
    const now = new Map(segments.map((segment) => [segment.id, segment]));
    for (const place of this.places) {
      const segment = now.get(place.segment?.id);
      if (segment) renew(place, segment);
      if (removed.includes(place.segment?.id)) place.outcome = "gone";
    }
  }
}

function renew(place, segment) {
  if (segment.text !== place.text) place.pieces = remark(place.pieces, segment.text);
  Object.assign(place, { text: segment.text, segment: { id: segment.id, revision: segment.revision } });
  if (segment.checked) place.outcome ||= "fixed";
  else if (place.outcome !== "accepted" && place.outcome !== "silent") place.outcome = "";
}

/** What names a place, also for what the browser keeps. */
export const keyOf = (place) => (place.segment ? `s${place.segment.id}` : `g${place.start}`);
