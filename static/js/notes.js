// Notes and highlights on a job's page: words are marked in the transcript, and listed beside it.

import { field, setHidden, setText } from "./dom.js";
import { transcript } from "./job.js";
import { keep, kept } from "./kept.js";
import { keys } from "./keys.js";
import { Choosing } from "./notes/choosing.js";
import { List, notesIn } from "./notes/list.js";
import { markNotes } from "./notes/marking.js";
import { Notes, UNDO_MS } from "./notes/store.js";
import { Writing } from "./notes/writing.js";
import { data, text } from "./texts.js";

const COLOUR = "note-colour";
const MOST_QUOTE = 300;
const start = data("start");
const root = document.getElementById("text");
const section = document.getElementById("notes");
const bar = document.getElementById("note-bar");
const undo = document.getElementById("note-undo");
const colours = start.note_colours;
const notes = new Notes(section.dataset.url, notesIn(section.querySelector(".note-list")));
const writing = new Writing(document.getElementById("note-sheet"), notes, `note-${start.job.id}-${start.user_id}`, { onSaved: saved, onDelete: leave });
const choosing = new Choosing(root, bar, transcript, { onAct: act, onShow: offerTheOneThere });
const seen = { revision: start.job.revision, deleted: null, timer: 0 };

const colour = () => (colours.includes(kept(COLOUR)) ? kept(COLOUR) : colours[0]);
const tell = (sentence) => setText(document.getElementById("announce"), sentence);

function act(name, stretch, button) {
  if (name === "mark") return highlight(stretch, button.value);
  const quote = String(getSelection()).trim().slice(0, MOST_QUOTE);
  finish();
  if (name === "write") writing.open({ ...stretch, quote, colour: colour() });
  else if (name === "open") edit(noteAt(stretch)?.id);
  return undefined;
}

const noteAt = (stretch) => notes.all.find((note) => note.start < stretch.end && note.end > stretch.start);

function offerTheOneThere(stretch) {
  setHidden(bar.querySelector('[data-act="open"]'), !noteAt(stretch));
}

async function highlight(stretch, chosen) {
  keep(COLOUR, chosen);
  try {
    await notes.add({ ...stretch, colour: chosen });
    finish();
    tell(text("note_marked"));
  } catch (error) {
    choosing.say(error.message);
  }
}

function finish() {
  getSelection().removeAllRanges();
  choosing.close();
}

function saved(note) {
  keep(COLOUR, note.colour);
  tell(text("note_saved"));
}

function edit(id) {
  const note = notes.find(id);
  if (note) writing.open(note);
}

function leave(id) {
  notes.leave(id);
  setText(field(section, "error"), "");
  seen.deleted = id;
  setHidden(undo, false);
  setText(field(undo, "told"), text("note_deleted"));
  clearTimeout(seen.timer);
  seen.timer = setTimeout(() => setHidden(undo, true), UNDO_MS);
}

/** The segment that is meant by keyboard: of the paragraph that has the focus, else what is played, else the first. */
function segmentMeant() {
  const element = document.activeElement.closest?.("#text .paragraph") ?? root.querySelector(".paragraph.playing");
  const paragraph = element && transcript.paragraphOf(element);
  const media = document.querySelector("#player [data-field=media]");
  const heard = transcript.segmentAt(media?.currentTime ?? 0);
  if (!paragraph || paragraph.segments.includes(heard)) return heard ?? transcript.shown()[0]?.paragraph.segments[0];
  return paragraph.segments[0];
}

function clicked({ target }) {
  const item = target.closest(".note-item");
  const button = target.closest("[data-note]");
  if (!item || !button) return;
  const id = Number(item.dataset.id);
  const go = (plays) => document.dispatchEvent(new CustomEvent("place:go", { detail: { seconds: notes.find(id).start, plays } }));
  const does = { go: () => go(false), play: () => go(true), edit: () => edit(id), delete: () => leave(id) };
  does[button.dataset.note]();
}

section.addEventListener("click", (event) => {
  if (event.target.closest("a[data-note]") && (event.metaKey || event.ctrlKey)) return;
  if (event.target.closest("a[data-note]")) event.preventDefault();
  clicked(event);
});
section.querySelector("#note-here").addEventListener("click", () => choosing.open(segmentMeant()));
undo.querySelector("button").addEventListener("click", () => {
  notes.stay(seen.deleted);
  setHidden(undo, true);
});
notes.addEventListener("failed", ({ detail }) => {
  setHidden(undo, true);
  setText(field(section, "error"), detail);
});
document.addEventListener("job:notes", ({ detail }) => notes.heard(detail.revision));
for (const kind of ["job:snapshot", "job:change"]) {
  document.addEventListener(kind, ({ detail: { job, revision } }) => {
    // A whole job comes when the socket opens, and later where something was missed.
    if (job.windows && revision > seen.revision) notes.heard(revision);
    seen.revision = Math.max(seen.revision, revision);
  });
}
keys([{ keys: "n", name: text("key_note"), run: () => choosing.open(segmentMeant()) }]);
new List(section, notes);
markNotes(transcript, notes, colours, edit);
writing.resume();
