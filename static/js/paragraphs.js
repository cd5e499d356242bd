// Segments gathered into paragraphs, by the rule that the downloads use.

import { textOf, tidy } from "./wordplaces.js";

const PAUSE_SECONDS = 2;
const PARAGRAPH_CHARACTERS = 600;
const LONGEST_PARAGRAPH_CHARACTERS = 1500;
const SENTENCE_END = /[.!?…。！？।؟]$/;
const UNSPACED = /[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]/;

/** What stands between two texts: scripts that write no spaces need none. */
export const joint = (left, right) => (UNSPACED.test(left.at(-1) ?? "") && UNSPACED.test(right[0] ?? "") ? "" : " ");

function breaks(paragraph, segment) {
  if (segment.start - paragraph.end > PAUSE_SECONDS || segment.speaker !== paragraph.speaker) return true;
  const { length } = paragraph.text;
  return length > LONGEST_PARAGRAPH_CHARACTERS || (length > PARAGRAPH_CHARACTERS && SENTENCE_END.test(paragraph.text));
}

/** Segments in order → paragraphs {start, end, speaker, text, segments, offsets}; `offsets`: where each begins in the text. */
export function paragraphs(segments) {
  const found = [];
  for (const segment of segments) {
    const words = textOf(segment);
    if (!words) continue;
    let last = found.at(-1);
    if (!last || breaks(last, segment)) {
      last = { start: segment.start, speaker: segment.speaker, text: "", segments: [], offsets: [] };
      found.push(last);
    }
    if (last.text) last.text += joint(last.text, words);
    last.offsets.push(last.text.length);
    last.text += words;
    last.end = segment.end;
    last.segments.push(segment);
  }
  return found;
}

/** A paragraph's segments in other words, by segment's id. */
export function inOtherWords({ segments }, texts) {
  const words = segments.map((segment) => tidy(texts.get(segment.id) ?? ""));
  return words.filter(Boolean).reduce((before, next) => (before ? before + joint(before, next) + next : next), "");
}
