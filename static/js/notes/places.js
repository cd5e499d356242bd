// Where notes stand in the transcript: between seconds and characters, by the words whose middle lies within.

import { placesOf, textOf } from "../wordplaces.js";

/** Characters of a segment's text that a note covers, as [from, to]; null where it covers none. */
function within(segment, { start, end }) {
  if (segment.end < start || segment.start > end) return null;
  const places = placesOf(segment);
  if (!places.length) return holdsMiddle(segment, start, end) ? [0, textOf(segment).length] : null;
  const covered = places.filter((place) => start <= (place.start + place.end) / 2 && (place.start + place.end) / 2 <= end);
  return covered.length ? [covered[0].from, covered.at(-1).to] : null;
}

/** Words without times: all of them, where the stretch has their middle or lies among them. */
function holdsMiddle(segment, start, end) {
  const middle = (segment.start + segment.end) / 2;
  return (start <= middle && middle <= end) || (segment.start <= start && end <= segment.end);
}

/** The same of a paragraph's text. */
export function withinParagraph({ segments, offsets }, note) {
  let [first, last] = [null, null];
  segments.forEach((segment, place) => {
    const found = within(segment, note);
    if (!found) return;
    first ??= offsets[place] + found[0];
    last = offsets[place] + found[1];
  });
  return first === null ? null : [first, last];
}

/** {start, end} in seconds of the words that a selection touches; null where it touches none. */
export function stretchOf(range, transcript) {
  const touched = transcript.shown().filter(({ element }) => range.intersectsNode(element));
  const spans = (element) => [...element.querySelectorAll("[data-id]")].filter((span) => range.intersectsNode(span));
  const pieces = (elements) => elements.map(({ element }) => spans(element).flatMap((span) => piecesOf(span, range, transcript)));
  // What lies between does not matter: a selection may be ten hours long.
  const first = pieces(touched.slice(0, 2)).flat()[0];
  const last = pieces(touched.slice(-2)).flat().at(-1);
  return first && last ? { start: first.start, end: Math.max(first.end, last.end) } : null;
}

function piecesOf(span, range, transcript) {
  const [segment, words] = [transcript.segmentOf(span), span.firstChild];
  if (!segment || !words) return [];
  const from = range.startContainer === words ? range.startOffset : 0;
  const to = range.endContainer === words ? range.endOffset : words.length;
  if (to <= from) return [];
  const places = placesOf(segment);
  return places.length ? places.filter((place) => place.from < to && place.to > from) : [segment];
}
