// What two versions of a text differ in, and where marks stand after one. Pure.

/** The words that were taken out of `before` and those that were put there in `after`; both whole words. */
export function difference(before, after) {
  const [old, fresh] = [before.split(/\s+/).filter(Boolean), after.split(/\s+/).filter(Boolean)];
  let first = 0;
  while (first < old.length && first < fresh.length && old[first] === fresh[first]) first += 1;
  let last = 0;
  while (last < old.length - first && last < fresh.length - first && old.at(-1 - last) === fresh.at(-1 - last)) last += 1;
  return { removed: bare(old.slice(first, old.length - last)), added: bare(fresh.slice(first, fresh.length - last)) };
}

/** Without the punctuation around it, which differs from place to place. */
const bare = (words) => words.join(" ").replace(/^[\p{P}\s]+|[\p{P}\s]+$/gu, "");

/** The marks of `pieces` in another text: those whose words are still there, in order. */
export function remark(pieces, text) {
  const found = [];
  let at = 0;
  for (const piece of pieces.filter(({ reason }) => reason)) {
    const place = text.indexOf(piece.text, at);
    if (place < 0) continue;
    if (place > at) found.push({ text: text.slice(at, place), reason: null });
    found.push(piece);
    at = place + piece.text.length;
  }
  if (at < text.length) found.push({ text: text.slice(at), reason: null });
  return found;
}

/** One line, as transcripts are. */
export const tidy = (text) => text.replace(/\s+/g, " ").trim();
