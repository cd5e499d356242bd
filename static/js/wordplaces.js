// Where the words of a segment stand in its text.

const known = new WeakMap();
const tidied = new WeakMap();

/** A text as it is shown: no space at its ends, one at most between words. */
export const tidy = (text) => text.split(/\s+/).filter(Boolean).join(" ");

/** A segment's own text, as it is shown. */
export function textOf(segment) {
  if (!tidied.has(segment)) tidied.set(segment, tidy(segment.text));
  return tidied.get(segment);
}

/** [{from, to, start, end, probability}]: characters of the tidied text, seconds of the recording. Words it lacks are left out. */
export function placesOf(segment) {
  if (!known.has(segment)) known.set(segment, find(segment));
  return known.get(segment);
}

function find(segment) {
  const text = textOf(segment);
  const places = [];
  let from = 0;
  for (const { start, end, word, probability } of segment.words ?? []) {
    const wanted = tidy(word);
    const at = wanted ? text.indexOf(wanted, from) : -1;
    if (at < 0) continue;
    from = at + wanted.length;
    places.push({ from: at, to: from, start, end, probability });
  }
  return places;
}

/** The word at a character, or the one before it; undefined where there is none. */
export const wordAt = (segment, offset) => placesOf(segment).findLast((place) => place.from <= offset);

/** The word that is being said at a second, or was last. */
export const wordSaid = (segment, seconds) => placesOf(segment).findLast((place) => place.start <= seconds + 0.03);
