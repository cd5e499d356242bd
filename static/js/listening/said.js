// The word that is being said, marked in step with the player.

import { wordSaid } from "../wordplaces.js";
import { mark } from "./marks.js";

/** A pause within which the last word stays marked. */
const LINGER_SECONDS = 0.7;

/** Calls `onMoved(range, paragraph)` whenever another word, or a stretch without known words, begins. */
export function markSaid(transcript, player, onMoved) {
  let before = { segment: null, word: null, paragraph: null };

  function look() {
    const segment = player.time > 0 || player.playing ? transcript.segmentAt(player.time) : undefined;
    const isOver = !segment || player.time > segment.end + LINGER_SECONDS;
    const now = isOver ? { segment: null, word: null } : { segment, word: wordSaid(segment, player.time) ?? null };
    if (now.segment === before.segment && now.word === before.word) return;
    show(now);
  }

  function show({ segment, word }) {
    const range = word && transcript.range(segment, word.from, word.to);
    const paragraph = segment ? (transcript.at(segment.start)?.closest(".paragraph") ?? null) : null;
    mark("said", [range]);
    if (paragraph !== before.paragraph) {
      before.paragraph?.classList.remove("playing");
      paragraph?.classList.add("playing");
    }
    before = { segment, word, paragraph };
    if (paragraph) onMoved(range, paragraph);
  }

  player.addEventListener("time", look);
  // Elements may be new and ranges gone: what is said now is looked up again.
  transcript.addEventListener("shown", () => {
    before = { ...before, segment: undefined };
    look();
  });
}
