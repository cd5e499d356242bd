// The captions: final words stay, interim ones behind them are replaced. A screen reader hears the final ones, once.

import { setHidden } from "../dom.js";
import { joint } from "../paragraphs.js";
import { text } from "../texts.js";

const PAUSE_SECONDS = 2;
const PARAGRAPH_CHARACTERS = 240;
const LONGEST_PARAGRAPH_CHARACTERS = 700;
const SENTENCE_END = /[.!?…。！？।؟]$/;
const VOICES = 12;
/** So near to its end a reader follows what is said. */
const NEAR_PX = 60;

/** Who is not enrolled has a number, which the page says in its own language. */
const nameOf = (label) => label.replace(/^Speaker (\d+)$/, (_, n) => text("speaker", { n }));

export function makeCaptions({ place, placeholder, follow }) {
  const interim = document.createElement("span");
  interim.className = "interim";
  interim.ariaHidden = "true";
  const voices = new Map();
  let paragraphs = [];
  let follows = true;

  function add({ text: words, is_final: isFinal, start, end, speaker_label: label = "" }) {
    const speaker = nameOf(label);
    setHidden(placeholder, true);
    const said = (words ?? "").trim();
    if (isFinal) {
      interim.remove();
      if (said) write(said, { start, end, speaker });
    } else show(said, start);
    if (follows) place.scrollTop = place.scrollHeight;
  }

  function write(said, { start, end, speaker }) {
    let last = paragraphs.at(-1);
    if (!last || breaks(last, { start, speaker })) {
      last = paragraphOf(speaker);
      paragraphs.push(last);
      place.append(last.element);
    }
    const piece = document.createElement("span");
    piece.textContent = (last.words && joint(last.words, said)) + said;
    last.element.append(piece);
    last.words += piece.textContent;
    last.end = end;
  }

  function show(said, start) {
    const last = paragraphs.at(-1);
    const isNew = !last || breaks(last, { start, speaker: last.speaker });
    interim.textContent = (!isNew && said ? joint(last.words, said) : "") + said;
    if (!isNew) return last.element.append(interim);
    const alone = interim.parentElement?.classList.contains("alone") ? interim.parentElement : document.createElement("p");
    alone.className = "alone";
    alone.dir = "auto";
    alone.append(interim);
    if (alone !== place.lastElementChild) place.append(alone);
  }

  function paragraphOf(speaker) {
    const element = document.createElement("p");
    element.dir = "auto";
    if (speaker) {
      const name = document.createElement("strong");
      name.className = "voice";
      name.textContent = speaker;
      element.dataset.voice = voiceOf(speaker);
      element.append(name);
    }
    return { element, speaker, words: "", end: 0 };
  }

  function voiceOf(speaker) {
    if (!voices.has(speaker)) voices.set(speaker, voices.size % VOICES);
    return voices.get(speaker);
  }

  function breaks(last, { start, speaker }) {
    const { length } = last.words;
    if (speaker !== last.speaker || length > LONGEST_PARAGRAPH_CHARACTERS) return true;
    const paused = start - last.end > PAUSE_SECONDS;
    return SENTENCE_END.test(last.words) && (paused || length > PARAGRAPH_CHARACTERS);
  }

  place.addEventListener("scroll", () => {
    follows = place.scrollHeight - place.scrollTop - place.clientHeight < NEAR_PX;
    setHidden(follow, follows);
  });
  follow.addEventListener("click", () => {
    place.scrollTop = place.scrollHeight;
    place.focus();
  });

  return {
    add,
    /** Interim words that never became final are no part of what was said. */
    settle() {
      const alone = interim.parentElement?.closest(".alone");
      interim.remove();
      alone?.remove();
    },
    clear() {
      for (const { element } of paragraphs) element.remove();
      this.settle();
      paragraphs = [];
      voices.clear();
      setHidden(placeholder, false);
    },
    get isEmpty() {
      return paragraphs.length === 0;
    },
    get text() {
      return paragraphs.map(({ speaker, words }) => (speaker ? text("captions_said_by", { speaker, words }) : words)).join("\n\n");
    },
  };
}
