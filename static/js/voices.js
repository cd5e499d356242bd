// The names and colours of speakers.

import { text } from "./texts.js";

export const COLOURS = 12;

export class Voices {
  #told = new Map();

  /** [{label, name, colour}] in the order in which they are first heard; true where something is another than before. */
  take(speakers) {
    const told = new Map(speakers.map(({ label, name, colour }, place) => [label, { name, colour, place }]));
    const changed = JSON.stringify([...told]) !== JSON.stringify([...this.#told]);
    this.#told = told;
    return changed;
  }

  nameOf(label) {
    return nameOf(label, this.#told.get(label)?.name);
  }

  colourOf(label) {
    return colourOf(label, this.#told.get(label));
  }
}

/** Their own name, else “Speaker 1” for SPEAKER_00 in the reader's language; another label is its own name. */
export function nameOf(label, name) {
  const number = /^SPEAKER_(\d+)$/.exec(label)?.[1];
  return name || (number ? text("speaker", { n: Number(number) + 1 }) : label);
}

/** A place in the palette: the one that was chosen, else by order, else by the number of a label that is in no list yet. */
export function colourOf(label, { colour, place } = {}) {
  return (colour ?? place ?? Number(/(\d+)$/.exec(label)?.[1] ?? 0)) % COLOURS;
}
