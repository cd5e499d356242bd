// Notes in the transcript: their words in colour, and what was written under the paragraph in which they begin.

import { field, setText, stamp } from "../dom.js";
import { mark } from "../listening/marks.js";
import { whileInView } from "../listening/inview.js";
import { withinParagraph } from "./places.js";

/** Under what is said, found and unsure. */
const BENEATH = -1;

/** `colours`: their codes. Calls `onOpen(note)` for one that is chosen. */
export function markNotes(transcript, notes, colours, onOpen) {
  const hung = new WeakMap();

  function paint(elements) {
    const ranges = new Map([...colours, "noted"].map((name) => [name, []]));
    for (const element of elements) {
      const paragraph = transcript.paragraphOf(element);
      for (const note of paragraph ? overlapping(notes.all, paragraph) : []) {
        const found = withinParagraph(paragraph, note);
        const range = found && transcript.rangeIn(paragraph, ...found);
        ranges.get(note.colour)?.push(range);
        if (note.text) ranges.get("noted").push(range);
      }
    }
    for (const [name, found] of ranges) mark(name === "noted" ? name : `note-${name}`, found, BENEATH);
  }

  function hang() {
    const wanted = new Map();
    for (const note of notes.all.filter(({ text }) => text)) {
      const element = transcript.at(note.start)?.closest(".paragraph");
      if (element) wanted.set(element, [...(wanted.get(element) ?? []), note]);
    }
    for (const { element } of transcript.shown()) hangOn(element, wanted.get(element) ?? []);
  }

  /** Only where something else is to hang there than does. */
  function hangOn(element, here) {
    const told = here.map(({ id, changed_at: at }) => `${id} ${at}`).join();
    if ((hung.get(element) ?? "") === told) return;
    hung.set(element, told);
    element.querySelector(".paragraph-notes")?.remove();
    if (!here.length) return;
    const list = stamp("paragraph-notes");
    list.append(...here.map(lineOf));
    element.append(list);
  }

  function lineOf(note) {
    const line = stamp("note-line");
    line.querySelector(".note-dot").dataset.colour = note.colour;
    setText(field(line, "text"), note.text);
    line.querySelector("button").addEventListener("click", () => onOpen(note.id));
    return line;
  }

  const later = whileInView(transcript, paint);
  const show = () => {
    hang();
    later();
  };
  notes.addEventListener("changed", show);
  transcript.addEventListener("shown", show);
  show();
}

/** A paragraph may be long; its notes are few. */
const overlapping = (all, { start, end }) => all.filter((note) => note.start <= end && note.end >= start);
