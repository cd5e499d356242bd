// The page on which a transcript is corrected while one listens. Puts the parts together; each has a file of its own.

import { field, setHidden, setText } from "../dom.js";
import { keepOpen } from "../live.js";
import { keys, playerKeys, showKeys } from "../keys.js";
import { playerOn } from "../player.js";
import { showState } from "../state.js";
import { data, text } from "../texts.js";
import { Answers } from "./answers.js";
import { Boundaries } from "./boundaries.js";
import { selectionIn } from "./caret.js";
import { Clashes } from "./clashes.js";
import { Editor } from "./editor.js";
import { Listening } from "./listening.js";
import { Outbox } from "./outbox.js";
import { Unread, readAll } from "./reading.js";
import { Replacing } from "./replacing.js";
import { Rows } from "./rows.js";
import { Saving } from "./saving.js";
import { Sending } from "./sending.js";
import { SpeakerMenu, SpeakerPanel } from "./speakers.js";
import { Store } from "./store.js";
import { openTabs, ownTab } from "./tabs.js";
import { wireWriting } from "./writing.js";

const NOTICE_MS = 8000;
const ADOPT_MS = 20_000;
/** Whoever corrects while a page reads makes it read again, so often. */
const READINGS = 3;

const start = data("start");
const part = (id) => document.getElementById(id);
const root = part("segments");
const toolbar = part("tools");

const store = new Store();
await store.open();
const outbox = new Outbox(store, `${start.user_id}:${start.job_id}`, await ownTab());
await outbox.adopt(await openTabs());

const editor = new Editor(outbox, start);
const rows = new Rows(root, { speaker: (label) => editor.model.speaker(label), place: (id) => editor.model.place(id), count: () => editor.model.list.length });
const player = playerOn(part("deck"));
const saving = new Saving(part("saved"), part("saved-heard"), part("sign-in"), outbox);
const panel = new SpeakerPanel(part("speakers"), editor);
const menu = new SpeakerMenu(part("speaker-menu"), editor);
const replacing = new Replacing(part("replacing"), editor, rows, start.preview_url);
const boundaries = new Boundaries(part("boundaries"), editor, player, start.waveform_url);
const listening = new Listening(player, editor, rows, { follow: part("follow"), clickPlays: part("click-plays") });
const answers = new Answers(editor, { renamed, notice });
const clashes = new Clashes(editor, answers, rows, part("orphans"));
rows.opened = () => clashes.show();
const sending = new Sending(outbox, start, {
  answered: (change, body) => answers.answered(change, body),
  conflict: (change, body) => answers.conflict(change, body),
  refused: (change, body) => answers.refused(change, body),
  corrections: (list) => answers.corrections(list),
  state: (state) => {
    editor.isOver = state === "gone" || state === "denied";
    saving.show(state);
  },
});
editor.saved = () => sending.allSent();

let current = null;
let noticeTimer = 0;

function notice(sentence) {
  setText(part("notice"), sentence);
  setHidden(part("notice"), !sentence);
  clearTimeout(noticeTimer);
  if (sentence) noticeTimer = setTimeout(() => notice(""), NOTICE_MS);
}

function renamed([from, to]) {
  rows.rename(from, to);
  if (current === from) current = to;
}

function setCurrent(id) {
  if (current !== id) rows.row(current)?.setCurrent(false);
  current = id;
  rows.row(id)?.setCurrent(true);
  boundaries.show(editor.model.get(id) ?? null);
  showTools();
}

function showTools() {
  const segment = editor.model.get(current);
  for (const button of toolbar.querySelectorAll("[data-needs=segment]")) button.disabled = !segment;
  toolbar.querySelector("[data-act=undo]").disabled = !editor.undoing.canUndo;
  toolbar.querySelector("[data-act=redo]").disabled = !editor.undoing.canRedo;
  setText(field(document, "doubts"), text("edit_doubts", { n: editor.model.doubts }));
  setHidden(field(document, "doubts"), !editor.model.doubts);
}

function changed() {
  sending.plan();
  saving.show(sending.state);
}

function show() {
  rows.show(editor.model.list);
  clashes.show();
  panel.show();
  setHidden(part("empty"), editor.model.list.length > 0 || !part("loading").hidden);
  setCurrent(editor.model.get(current) ? current : null);
  listening.mark();
}

editor.addEventListener("shown", () => {
  show();
  changed();
});
editor.addEventListener("typed", ({ detail: { segment } }) => {
  const row = rows.row(segment.id);
  row?.update(segment, rows.context);
  showTools();
  changed();
});
editor.addEventListener("went", ({ detail: { segment, offset } }) => {
  const row = rows.bring(segment);
  if (!row) return;
  const { top, bottom } = row.element.getBoundingClientRect();
  if (top < part("deck").getBoundingClientRect().bottom || bottom > innerHeight) row.element.scrollIntoView({ block: "center" });
  row.focus(offset);
});

wireWriting(root, rows, editor, {
  openSpeakers: (row) => menu.open(row),
  heard: (row, offset) => listening.heard(row, offset),
  playFrom: (row) => listening.playFrom(row),
  current: (row) => setCurrent(row.id),
  left: () => {
    outbox.hurry();
    sending.plan();
  },
});

/** What the buttons and keys do to the current segment. */
const acts = {
  undo: () => editor.undo() || notice(text("edit_nothing_to_undo")),
  redo: () => editor.redo() || notice(text("edit_nothing_to_redo")),
  split: () => {
    const row = rows.row(current);
    const at = row && (selectionIn(row.said)?.from ?? lastCaret);
    if (row) editor.split(row.id, at ?? 0, row.text);
  },
  merge: () => editor.mergeUp(current),
  insert: () => editor.insertBelow(current),
  remove: () => editor.remove(current),
  speaker: () => current !== null && menu.open(rows.bring(current)),
  find: () => replacing.open(),
  keys: showKeys,
  doubt: () => editor.nextDoubt(current) || notice(text("edit_no_doubts")),
  accept: () => current !== null && editor.accept(current),
  speakers: () => {
    part("speakers").open = true;
    part("speakers").querySelector("summary").focus();
  },
};

/** A button takes the caret away from the text before it is pressed. */
let lastCaret = 0;
document.addEventListener("selectionchange", () => {
  const row = rows.row(current);
  const selected = row && document.activeElement === row.said && selectionIn(row.said);
  if (selected) lastCaret = selected.from;
});
document.addEventListener("click", (event) => {
  const act = event.target.closest("[data-act]")?.dataset.act;
  if (acts[act] && event.target.closest("#tools")) acts[act]();
});
toolbar.addEventListener("mousedown", (event) => {
  // The keyboard of a phone stays open, and the caret where it is.
  if (event.target.closest("button")) event.preventDefault();
});

const always = true;
keys([
  ...(player ? playerKeys(player) : []),
  ...(player ? [{ keys: "Mod+Space", name: text("key_toggle"), run: () => player.toggle(), always }] : []),
  { keys: "Mod+z", name: text("edit_key_undo"), run: acts.undo },
  { keys: "Mod+Shift+z Mod+y", name: text("edit_key_redo"), run: acts.redo },
  { keys: "Mod+f Mod+h", name: text("edit_key_find"), run: acts.find, always },
  { keys: "Alt+s", name: text("edit_key_speaker"), run: acts.speaker, always },
  { keys: "Alt+n", name: text("edit_key_doubt"), run: acts.doubt, always },
  { keys: "Alt+a", name: text("edit_key_accept"), run: acts.accept, always },
  { keys: "Alt+f", name: text("edit_key_follow"), run: () => listening.follow.click(), always },
  // The fields hear these themselves; elsewhere they are for the current segment.
  { keys: "Enter", name: text("edit_key_split"), run: () => rows.bring(current)?.focus() },
  { keys: "Backspace", name: text("edit_key_merge"), run: () => {} },
  { keys: "Mod+Enter", name: text("edit_key_insert"), run: acts.insert },
  { keys: "Mod+Delete", name: text("edit_key_remove"), run: () => editor.model.get(current) && acts.remove() },
  { keys: "Alt+ArrowLeft Alt+ArrowRight", name: text("edit_key_start"), run: (event) => nudge(event, "start") },
  { keys: "Alt+Shift+ArrowLeft Alt+Shift+ArrowRight", name: text("edit_key_end"), run: (event) => nudge(event, "end") },
]);

function nudge({ key }, edge) {
  if (editor.model.get(current)) editor.nudge(current, edge, key === "ArrowLeft" ? -1 : 1);
}

part("sign-in").addEventListener("click", () => sending.again());
addEventListener("offline", () => saving.show(sending.state));
const hurry = () => {
  outbox.hurry();
  sending.plan();
};
addEventListener("pagehide", hurry);
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && hurry());
addEventListener("beforeunload", (event) => {
  if (outbox.size && !outbox.keeps) event.preventDefault();
});
setInterval(async () => {
  if (navigator.locks && (await outbox.adopt(await openTabs()))) editor.refresh();
}, ADOPT_MS);

/** Reads until nobody has corrected anything in between, so that no piece is of another version than the next. */
async function read() {
  for (let reading = 1; reading <= READINGS; reading += 1) {
    const version = sending.version;
    const isFirst = !editor.model.list.length;
    const floor = editor.model.newest;
    const all = await readAll(start.segments_url, (segments) => {
      if (!isFirst) return;
      editor.model.take(segments);
      editor.refresh();
    });
    editor.model.replace(all, floor);
    await sending.catchUp();
    if (sending.version === version) break;
  }
  editor.refresh();
}

let reading = Promise.resolve();
const readAgain = () => (reading = reading.then(read).catch(unread));

function unread(error) {
  if (!(error instanceof Unread)) throw error;
  setText(part("loading"), text(error.status === 404 ? "gone" : "edit_not_read"));
  setHidden(part("loading"), false);
}

/** `#t=83` opens the transcript at that time. */
function goToTime() {
  const seconds = Number(/^#t=([\d.]+)$/.exec(location.hash)?.[1] ?? NaN);
  if (Number.isNaN(seconds)) return;
  const segment = editor.model.list[Math.max(0, editor.model.placeAt(seconds))];
  if (segment) editor.go(segment.id);
  player?.seek(seconds);
}

// What was sent before and not answered comes first: the transcript that is read then has it.
if (outbox.list.some(({ tried }) => tried)) await sending.wake();
await readAgain();
setHidden(part("loading"), editor.model.list.length > 0);
show();
goToTime();
addEventListener("hashchange", goToTime);
root.setAttribute("aria-busy", "false");
sending.wake();

const heard = {
  corrected: ({ version }) => version > sending.version && sending.behind(),
  segments: ({ segments }) => {
    // Corrections are read as such; other segments are new.
    if (segments.some(({ id }) => !editor.model.base(id))) readAgain();
  },
  rewritten: readAgain,
  deleted: () => sending.gone(),
};
let wasOpen = false;
keepOpen({
  path: () => `${start.socket}?since=${start.revision}`,
  onMessage: (message) => heard[message.type]?.(message),
  onState: (state, reason) => {
    showState(part("live"), state, reason);
    if (state === "open" && wasOpen) sending.behind();
    wasOpen ||= state === "open";
    if (state === "open") sending.again();
  },
});
