// The page's texts and start data, which the server puts into JSON elements in the reader's language.

export function data(id) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : null;
}

const texts = data("texts") ?? {};

/** The text `key` with its {places} filled. */
export function text(key, values = {}) {
  const found = texts[key] ?? key;
  return found.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

/** The label of a code in a table such as "status"; the server's own label where the table lacks it. */
export function label(table, code, fallback = code) {
  return texts[table]?.[code] ?? fallback;
}

const PLACE = /\{(\w+)\}/g;
const sentences = texts.told ?? {};
const patterns = Object.keys(sentences).filter((sentence) => sentence.search(PLACE) >= 0).map((sentence) => [sentence, patternOf(sentence)]);

function patternOf(sentence) {
  const told = sentence.split(PLACE).map((part, at) => (at % 2 ? `(?<${part}>.+?)` : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  return new RegExp(`^${told.join("")}$`, "s");
}

/** A sentence that a job tells of itself, which is stored in English, in the reader's language; whisper_jobs/web/told.py tells which. */
export function told(message) {
  if (!message || Object.hasOwn(sentences, message)) return sentences[message] ?? message;
  for (const [sentence, pattern] of patterns) {
    const found = pattern.exec(message);
    if (found) return sentences[sentence].replace(PLACE, (_whole, name) => told(found.groups[name]));
  }
  return message;
}
