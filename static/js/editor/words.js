// Where the words of a segment stand in its text, and which time belongs to a place in it. Pure.

/** [{from, to, start, end}]: the words that are found in `text`, in order; what was typed since is skipped. */
export function wordsIn(text, words) {
  const found = [];
  let from = 0;
  for (const { start, end, word } of words) {
    const said = word.trim();
    if (!said) continue;
    const at = text.indexOf(said, from);
    // A word that comes again much later is another one.
    if (at < 0 || at - from > 80) continue;
    found.push({ from: at, to: at + said.length, start, end });
    from = at + said.length;
  }
  return found;
}

/** The word that is said at a time, or null between words. */
export function wordAt(found, seconds) {
  let [low, high] = [0, found.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (found[middle].end <= seconds) low = middle + 1;
    else if (found[middle].start > seconds) high = middle - 1;
    else return found[middle];
  }
  return null;
}

/** When the text at `offset` is said: by the word there or after it, else by its share of the segment. */
export function timeAt(segment, offset) {
  const next = wordsIn(segment.text, segment.words).find(({ to }) => to > offset);
  if (next) return Math.min(Math.max(next.start, segment.start), segment.end);
  const share = segment.text.length ? Math.min(1, offset / segment.text.length) : 0;
  return segment.start + share * (segment.end - segment.start);
}
