// Recording with the microphone, on the page that hands recordings in. Every second is kept on the device until there is a job,
// so a crash or a closed tab costs the last second at most; what was left over is offered at the next visit.

import * as kept from "./capture/kept.js";
import { isPossible, listen, problemOf } from "./capture/microphone.js";
import { field, setHidden, setProgress, setText, stamp } from "./dom.js";
import { clock, setTime } from "./format.js";
import { data, text } from "./texts.js";

const panel = document.getElementById("recorder");
const start = document.getElementById("record");
const pause = document.getElementById("record-pause");
const dialog = document.getElementById("discard-dialog");
const places = document.getElementById("kept");
const problem = document.getElementById("record-problem");
const owner = data("start").me;

const ENDINGS = { "audio/mp4": "m4a", "audio/ogg": "ogg" };
const twoDigits = (number) => String(number).padStart(2, "0");
const askToStay = (event) => event.preventDefault();

let current = null;
let use = () => {};

/** `onRecorded({file, name, made, dropped}, {send})` takes over a recording; `send` says to hand it in at once. */
export function offerRecording(onRecorded) {
  use = onRecorded;
  setHidden(document.getElementById("record-row"), false);
  start.addEventListener("click", begin);
  pause.addEventListener("click", togglePause);
  document.getElementById("record-finish").addEventListener("click", () => current?.microphone.stop());
  document.getElementById("record-discard").addEventListener("click", () => askToDiscard(discardCurrent));
  showKept();
  if (location.hash === "#record") start.focus();
}

const say = (sentence) => {
  setText(problem, sentence);
  setHidden(problem, !sentence);
};

async function begin() {
  say("");
  if (!isPossible()) return say(text(isSecureContext ? "mic_unsupported" : "mic_insecure"));
  start.disabled = true;
  const recording = { id: crypto.randomUUID(), owner, startedAt: Date.now(), seconds: 0 };
  const taken = { recording, pieces: [], stored: Promise.resolve(), discarded: false };
  try {
    taken.microphone = await listen({ onPiece: (piece) => keepPiece(taken, piece), onEnd: () => finish(taken) });
  } catch (error) {
    start.disabled = false;
    return say(text(problemOf(error)));
  }
  recording.type = taken.microphone.type;
  taken.release = kept.hold(recording.id);
  navigator.storage?.persist?.().catch(() => {});
  taken.awake = await stayAwake();
  current = taken;
  addEventListener("beforeunload", askToStay);
  setHidden(panel, false);
  setHidden(document.getElementById("record-row"), true);
  showPaused();
  pause.focus();
  taken.timer = setInterval(() => showNow(taken.microphone), 100);
}

/** In memory too, so that a full disk costs nothing while the page lives. */
function keepPiece(taken, piece) {
  const place = taken.pieces.push(piece) - 1;
  taken.recording.type ??= piece.type.split(";")[0];
  taken.recording.seconds = taken.microphone?.seconds ?? 0;
  const now = { ...taken.recording };
  taken.stored = taken.stored.then(() => kept.keep(now, place, piece)).catch((error) => {
    if (!taken.discarded) say(text(error?.name === "QuotaExceededError" ? "mic_full" : "mic_unkept"));
  });
}

function showNow(microphone) {
  setText(field(panel, "time"), clock(microphone.seconds));
  setProgress(panel.querySelector("meter"), microphone.level());
}

function showPaused() {
  const { isPaused } = current.microphone;
  panel.dataset.state = isPaused ? "paused" : "recording";
  setText(field(panel, "state"), text(isPaused ? "record_paused" : "record_running"));
  setText(pause.querySelector("span"), text(isPaused ? "record_resume" : "record_pause"));
}

function togglePause() {
  const { microphone } = current;
  if (microphone.isPaused) microphone.resume();
  else microphone.pause();
  showPaused();
}

/** Called when the microphone has stopped, whoever stopped it. */
async function finish(taken) {
  clearInterval(taken.timer);
  taken.awake?.release().catch(() => {});
  removeEventListener("beforeunload", askToStay);
  current = null;
  start.disabled = false;
  setHidden(panel, true);
  setHidden(document.getElementById("record-row"), false);
  await taken.stored;
  if (taken.discarded) return forget(taken);
  if (!taken.pieces.length) return say(text("mic_failed"));
  const blob = new Blob(taken.pieces, { type: taken.recording.type });
  use(itemOf(taken.recording, blob, taken.release), { send: false });
}

async function forget({ recording, release }) {
  await kept.forget(recording.id).catch(() => {});
  release();
  showKept();
  start.focus();
}

/** For the form: when there is a job the device forgets the recording; when it is only taken out of the form it stays. */
function itemOf(recording, blob, release) {
  const name = nameOf(recording);
  return {
    name,
    file: new File([blob], name, { type: recording.type, lastModified: recording.startedAt }),
    async made() {
      await kept.forget(recording.id).catch(() => {});
      release();
    },
    dropped() {
      release();
      showKept();
    },
  };
}

function nameOf({ startedAt, type }) {
  const at = new Date(startedAt);
  const day = [at.getFullYear(), twoDigits(at.getMonth() + 1), twoDigits(at.getDate())].join("-");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(".");
  return `${text("record_name")} ${day} ${time}.${ENDINGS[type] ?? "webm"}`;
}

async function stayAwake() {
  try {
    return await navigator.wakeLock?.request("screen");
  } catch {
    return null;
  }
}

let discard = () => {};

function askToDiscard(work) {
  discard = work;
  dialog.showModal();
}

dialog.addEventListener("close", () => {
  if (dialog.returnValue === "discard") discard();
  dialog.returnValue = "";
});

function discardCurrent() {
  if (!current) return;
  current.discarded = true;
  current.microphone.stop();
}

// --- what an earlier page left over ---

async function showKept() {
  if (!isPossible()) return;
  const found = await kept.unfinished(owner).catch(() => []);
  for (const element of places.querySelectorAll("li")) if (!found.some(({ id }) => id === element.dataset.id)) element.remove();
  for (const recording of found) {
    if (![...places.children].some((element) => element.dataset.id === recording.id)) places.append(rowOf(recording));
  }
  setHidden(places, !places.children.length);
}

function rowOf(recording) {
  const row = stamp("kept-row");
  row.dataset.id = recording.id;
  setText(field(row, "sentence"), text("record_kept", { time: clock(recording.seconds) }));
  setTime(field(row, "when"), new Date(recording.startedAt).toISOString());
  field(row, "use").addEventListener("click", () => takeUp(recording));
  field(row, "listen").addEventListener("click", () => play(row, recording));
  field(row, "discard").addEventListener("click", () => askToDiscard(() => drop(recording)));
  return row;
}

async function takeUp(recording) {
  const release = kept.hold(recording.id);
  const blob = await kept.read(recording);
  places.querySelector(`[data-id="${recording.id}"]`).remove();
  setHidden(places, !places.children.length);
  use(itemOf(recording, blob, release), { send: true });
}

async function play(row, recording) {
  const audio = row.querySelector("audio");
  if (!audio.src) audio.src = URL.createObjectURL(await kept.read(recording));
  setHidden(audio, false);
  setHidden(field(row, "listen"), true);
  audio.focus();
  audio.play().catch(() => {});
}

async function drop(recording) {
  await kept.forget(recording.id);
  showKept();
  start.focus();
}
