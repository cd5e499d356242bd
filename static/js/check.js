// Checking a transcript: from one place that looks wrong to the next, each heard, found right or corrected.

import { Corrections, question } from "./check/corrections.js";
import { askEverywhere } from "./check/everywhere.js";
import { difference, tidy } from "./check/changes.js";
import { Kept } from "./check/kept.js";
import * as view from "./check/view.js";
import { Walk, keyOf } from "./check/walk.js";
import { field, setHidden, setText } from "./dom.js";
import { keys, showKeys } from "./keys.js";
import { playerOn } from "./player.js";
import { data, text } from "./texts.js";

const start = data("start");
const page = document.getElementById("check");
const [spot, input] = [view.spot, view.input];
const end = document.getElementById("end");
const walk = new Walk();
const corrections = new Corrections(start.corrections_url);
const kept = new Kept(start.job);
const player = playerOn(page);
let busy = false;

// --- what is shown --------------------------------------------------------------------------------

const part = (id) => document.getElementById(id);
const tell = (key, values) => setText(part("check-state"), text(key, values));

async function load() {
  setHidden(part("load-error"), true);
  setHidden(part("loading"), false);
  try {
    await read(0);
  } catch (error) {
    setText(field(part("load-error"), "sentence"), error.message);
    return setHidden(part("load-error"), false);
  } finally {
    setHidden(part("loading"), true);
  }
  if (!walk.places.length) return setHidden(part("nothing"), false);
  walk.again();
  return arrive();
}

/** Further places; speech that was found to say nothing is not shown again on this device. */
async function read(after) {
  const { spots, more } = await question("GET", `${start.spots_url}?after=${after}`);
  walk.add(spots.filter((one) => one.segment || !kept.silent(one.start)), more);
}

function arrive() {
  setHidden(spot, !walk.place);
  setHidden(end, Boolean(walk.place));
  for (const button of page.querySelectorAll('[data-act="undo"]')) button.disabled = !walk.undoable;
  if (!walk.place) return finish();
  const typing = document.activeElement === input;
  view.show(walk, kept.typed(keyOf(walk.place)));
  setText(part("check-error"), "");
  if (typing || !spot.contains(document.activeElement)) spot.focus({ preventScroll: true });
  return play();
}

function finish() {
  const left = walk.open.length;
  const counts = { accepted: walk.count("accepted") + walk.count("silent"), fixed: walk.count("fixed"), left };
  setText(field(end, "result"), text("check_result", counts));
  setHidden(end.querySelector('[data-act="again"]'), !left);
  player?.pause();
  end.focus({ preventScroll: true });
}

function play(from = walk.place.start, to = walk.place.end) {
  return player?.playSpan(...view.span(from, to, start.duration));
}

// --- what is done ---------------------------------------------------------------------------------

/** One after the other; what failed is told, and stays to be tried again. */
async function doing(what) {
  if (busy || !walk.places.length) return;
  busy = true;
  spot.setAttribute("aria-busy", "true");
  setText(part("check-error"), "");
  try {
    await what();
  } catch (error) {
    if (!(error instanceof Error) || !error.message) throw error;
    tell("");
    setText(part("check-error"), error.message);
  } finally {
    busy = false;
    spot.removeAttribute("aria-busy");
  }
}

async function send(body) {
  tell("check_saving");
  const answer = await corrections.make(body);
  return answer.correction;
}

const accept = () => doing(async () => {
  const { place } = walk;
  if (!place) return;
  if (!place.segment && !tidy(input.value)) return silence(place);
  const changed = view.isChanged(place);
  const body = changed ? changeOf(place) : { kind: "check", segments: [place.segment], checked: true };
  let correction;
  try {
    correction = await send(body);
  } catch (error) {
    if (error.status === 409 && error.answer?.segments) return clash(place, error.answer);
    throw error;
  }
  walk.settle(place, changed ? "fixed" : "accepted", correction.number);
  if (place.segment) walk.take(correction.segments, correction.removed);
  kept.drop(keyOf(place));
  tell(changed ? "check_saved" : "check_accepted");
  await goOn();
});

function changeOf(place) {
  const words = tidy(input.value);
  if (place.segment) return { kind: "text", segment: place.segment, text: words };
  return { kind: "insert", start: place.start, end: place.end, text: words, speaker: null };
}

function silence(place) {
  kept.setSilent(place.start, true);
  walk.settle(place, "silent", null);
  tell("check_accepted");
  return goOn();
}

/** Somebody was faster: theirs is shown and in the field, one's own text stays beside it. */
function clash(place, { segments, removed = [] }) {
  const mine = tidy(input.value);
  const differs = view.isChanged(place);
  walk.take(segments, removed);
  tell("");
  if (removed.includes(place.segment?.id)) {
    tell("check_gone");
    return goOn();
  }
  view.showText(place);
  input.value = place.text;
  kept.drop(keyOf(place));
  view.showClash(differs && mine !== tidy(place.text) ? mine : null, text("check_conflict"));
  view.showAccept(place);
  // Not gone past unseen, whoever has checked it.
  place.outcome = "";
  return undefined;
}

async function goOn() {
  const last = walk.places.at(-1);
  if (!walk.next() && walk.more) {
    await read(last.start);
    walk.at = walk.places.indexOf(last);
    walk.next();
  }
  arrive();
}

const undo = () => doing(async () => {
  const done = walk.lastDone();
  if (!done) return tell("check_nothing_to_undo");
  if (done.number === null) kept.setSilent(done.place.start, false);
  else {
    const correction = await send({ kind: "undo", number: done.number });
    walk.take(correction.segments, correction.removed);
  }
  walk.tookBack(done);
  tell("check_undone");
  return arrive();
});

const everywhere = () => doing(async () => {
  const { place } = walk;
  if (!place) return;
  const typed = difference(place.text, tidy(input.value));
  const marked = place.pieces.find(({ reason }) => reason);
  const wanted = await askEverywhere(corrections, {
    removed: typed.removed || marked?.text || "",
    added: typed.removed ? typed.added : (marked?.term ?? ""),
  });
  if (!wanted) return;
  const correction = await send(wanted.body);
  walk.replaced(correction.number);
  walk.take(correction.segments, correction.removed);
  kept.drop(keyOf(place));
  tell("check_replaced", { count: wanted.count });
  await (place.outcome ? goOn() : arrive());
});

const addTerm = () => doing(async () => {
  const { place } = walk;
  const dialog = part("add-term");
  const box = part("term");
  const chosen = input.value.slice(input.selectionStart, input.selectionEnd).trim();
  const typed = place ? difference(place.text, tidy(input.value)).added : "";
  box.value = (chosen || typed || place?.pieces.find(({ reason }) => reason)?.text || "").slice(0, box.maxLength);
  dialog.returnValue = "";
  dialog.showModal();
  box.select();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  const term = tidy(box.value);
  if (dialog.returnValue !== "add" || !term) return;
  await question("POST", start.glossary_url, { terms: [term] });
  tell("check_added", { term });
});

/** The term in the place of the words that are nearly it. */
function takeSuggestion() {
  const piece = walk.place?.pieces.find(({ term }) => term);
  if (!piece) return;
  const at = input.value.indexOf(piece.text);
  if (at >= 0) input.setRangeText(piece.term, at, at + piece.text.length, "end");
  input.dispatchEvent(new Event("input"));
}

function takeMine() {
  input.value = view.clashing();
  view.showClash(null);
  input.dispatchEvent(new Event("input"));
  input.focus();
}

function move(step) {
  if (busy) return;
  if (step > 0) doing(goOn);
  else {
    walk.previous();
    arrive();
  }
}

const acts = {
  accept,
  undo,
  everywhere,
  term: addTerm,
  suggested: takeSuggestion,
  mine: takeMine,
  next: () => move(1),
  previous: () => move(-1),
  play: () => walk.place && play(),
  keys: showKeys,
  load,
  again: () => {
    walk.again();
    arrive();
  },
};

// --- how it is asked for --------------------------------------------------------------------------

page.addEventListener("click", (event) => {
  const mark = event.target.closest("mark");
  if (mark) play(Number(mark.dataset.start), Number(mark.dataset.end));
  acts[event.target.closest("[data-act]")?.dataset.act]?.();
});
input.addEventListener("input", () => {
  const place = walk.place;
  if (!place) return;
  if (view.isChanged(place)) kept.keep(keyOf(place), input.value);
  else kept.drop(keyOf(place));
  view.showAccept(place);
});
keys([
  { keys: "Enter", name: text("check_key_accept"), run: accept, always: true },
  { keys: "e", name: text("check_key_edit"), run: () => input.focus() },
  { keys: "Escape", name: text("check_key_leave"), run: () => spot.focus(), always: true },
  { keys: "n", name: text("check_key_next"), run: acts.next },
  { keys: "p", name: text("check_key_previous"), run: acts.previous },
  { keys: "g", name: text("check_key_everywhere"), run: everywhere },
  { keys: "a", name: text("check_key_term"), run: addTerm },
  { keys: "u", name: text("check_key_undo"), run: undo },
  { keys: "Space", name: text("check_key_play"), run: acts.play },
]);
load();
