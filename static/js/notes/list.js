// The list of notes beside the transcript, which the server has drawn: narrowed by a choice, drawn anew when notes change.

import { clock, setTime } from "../format.js";
import { field, setData, setHidden, setText, stamp } from "../dom.js";
import { hashOf } from "../place.js";
import { label, text } from "../texts.js";

/** The notes that the page came with. */
export const notesIn = (list) => [...list.children].map(noteOf);

function noteOf(item) {
  const { id, start, end, colour, changed, created } = item.dataset;
  const told = (name) => field(item, name).textContent;
  return {
    id: Number(id),
    start: Number(start),
    end: Number(end),
    colour,
    quote: told("quote"),
    text: told("text"),
    author: told("author") ? { name: told("author") } : null,
    created_at: created,
    changed_at: changed,
  };
}

const KINDS = { "": () => true, written: (note) => Boolean(note.text), marked: (note) => !note.text };

export class List {
  #list;
  #filter;
  #notes;

  constructor(section, notes) {
    this.section = section;
    this.#notes = notes;
    this.#list = section.querySelector(".note-list");
    this.#filter = section.querySelector(".note-filter");
    this.#filter.addEventListener("change", () => this.narrow());
    notes.addEventListener("changed", () => this.draw());
    this.narrow();
  }

  draw() {
    const there = new Map([...this.#list.children].map((item) => [Number(item.dataset.id), item]));
    const items = this.#notes.all.map((note) => fill(there.get(note.id) ?? stamp("note"), note));
    // Put in their places one by one, those that stay keep the focus that is in them.
    items.forEach((item, place) => this.#list.children[place] !== item && this.#list.insertBefore(item, this.#list.children[place] ?? null));
    while (this.#list.children.length > items.length) this.#list.lastElementChild.remove();
    this.narrow();
  }

  narrow() {
    const wanted = KINDS[this.#filter.value] ?? ((note) => note.colour === this.#filter.value);
    const { all } = this.#notes;
    const shown = new Set(all.filter(wanted).map(({ id }) => id));
    for (const item of this.#list.children) setHidden(item, !shown.has(Number(item.dataset.id)));
    for (const count of document.querySelectorAll('[data-field="note-count"]')) setText(count, all.length ? String(all.length) : "");
    setHidden(this.#filter.closest(".note-narrow"), all.length < 2);
    setHidden(field(this.section, "none"), all.length > 0);
    setText(field(this.section, "none-shown"), all.length && !shown.size ? text("notes_none_shown") : "");
  }
}

function fill(item, note) {
  if (item.dataset.changed === note.changed_at) return item;
  for (const name of ["id", "start", "end", "colour"]) setData(item, name, note[name]);
  setData(item, "changed", note.changed_at);
  setData(item, "created", note.created_at);
  const at = field(item, "at");
  at.href = hashOf(note.start);
  setText(at, clock(note.start));
  setData(item.querySelector(".note-dot"), "colour", note.colour);
  setText(field(item, "colour"), label("note_colour", note.colour));
  for (const name of ["quote", "text"]) setText(field(item, name), note[name]);
  setText(field(item, "author"), note.author?.name ?? "");
  setTime(item.querySelector("time"), note.created_at);
  return item;
}
