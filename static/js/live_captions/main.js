// /whisper/live: the form that starts a session, how it goes, and what came of it.

import { problemOf } from "../capture/microphone.js";
import { copyText } from "../clipboard.js";
import { field, setData, setHidden, setProgress, setText, stamp } from "../dom.js";
import { clock, span } from "../format.js";
import { data, text } from "../texts.js";
import { makeCaptions } from "./captions.js";
import { keepChoices } from "./choices.js";
import * as microphones from "./microphone.js";
import { fillScreen } from "./screen.js";
import { begin } from "./session.js";

const byId = (id) => document.getElementById(id);
const form = byId("live-form");
const start = byId("live-start");
const stop = byId("live-stop");
const state = byId("live-state");
const problem = byId("live-problem");
const copy = byId("live-copy");
const urls = data("start");
const captions = makeCaptions({ place: byId("said"), placeholder: byId("said-placeholder"), follow: byId("live-follow") });

/** Captions that come later than this after the words are said to be behind. */
const BEHIND_SECONDS = 4;
const SHOW_MS = 100;
/** State of a session → the text that says so, and how its dot looks. */
const STATES = {
  connecting: ["captions_connecting", "connecting"],
  live: ["captions_live", "open"],
  lost: ["captions_lost", "lost"],
  ending: ["captions_ending", "connecting"],
  ended: ["captions_ended", "connecting"],
  failed: ["captions_failed", "denied"],
};

let current = null;

const askToStay = (event) => event.preventDefault();

function say(sentence) {
  setText(field(problem, "sentence"), sentence);
  setHidden(problem, !sentence);
}

function showState(name) {
  const [key, dot] = STATES[name];
  setText(state, text(key));
  setData(state, "state", dot);
}

function options() {
  const language = form.elements.language.value;
  return { ...(language && { language_hint: language }), diarize: form.elements.diarize.checked };
}

async function run() {
  say("");
  if (!isSecureContext) return say(text("captions_insecure"));
  if (!microphones.isPossible()) return say(text("captions_unsupported"));
  busy(true);
  const session = { startedAt: performance.now(), hear: () => {} };
  try {
    session.microphone = await microphones.open({
      id: form.elements.microphone.value,
      workletUrl: urls.worklet_url,
      onSamples: (samples) => session.hear(samples),
      onEnd: () => finish(session, text("captions_unplugged")),
    });
  } catch (error) {
    busy(false);
    return say(text(error.name === "OverconstrainedError" ? "mic_missing" : problemOf(error)));
  }
  listMicrophones();
  current = session;
  captions.clear();
  setText(byId("live-way"), "");
  byId("live-results").replaceChildren();
  showRunning(session);
  const { stream, rate } = session.microphone;
  Object.assign(session, begin({ urls, stream, rate, options: options(), tell: tellerOf(session) }));
}

function tellerOf(session) {
  return {
    state: showState,
    way: (reason) => setText(byId("live-way"), text("captions_fallback", { reason })),
    delta(frame) {
      captions.add(frame);
      copy.disabled = captions.isEmpty;
      const lag = frame.lag_seconds ?? 0;
      setText(byId("live-lag"), lag > BEHIND_SECONDS ? text("captions_behind", { time: span(lag) }) : "");
    },
    parted: () => addResult(text("captions_parted")),
    ended({ jobId, reason = "" }) {
      if (jobId) addResult(text("captions_recorded"), jobId);
      else if (captions.isEmpty) addResult(text("captions_nothing"));
      settle(session, "ended", reason);
    },
    failed: (message) => settle(session, "failed", message),
  };
}

async function finish(session, sentence = "") {
  if (session !== current) return;
  if (sentence) say(sentence);
  stop.disabled = true;
  await session.finish();
  close(session);
}

/** The microphone hears no more. */
function close(session) {
  clearInterval(session.timer);
  session.microphone.close();
  setProgress(byId("live-level"), 0);
}

function showRunning(session) {
  setHidden(start, true);
  setHidden(stop, false);
  stop.disabled = false;
  stop.focus();
  addEventListener("beforeunload", askToStay);
  session.awake = navigator.wakeLock?.request("screen").catch(() => null);
  session.timer = setInterval(() => {
    setProgress(byId("live-level"), session.microphone.level());
    setText(byId("live-time"), clock((performance.now() - session.startedAt) / 1000));
  }, SHOW_MS);
}

/** It is over, whatever the reason. */
function settle(session, name, message) {
  close(session);
  session.awake?.then((lock) => lock?.release());
  removeEventListener("beforeunload", askToStay);
  setText(byId("live-lag"), "");
  captions.settle();
  if (message) say(message);
  showState(name);
  current = null;
  busy(false);
}

function busy(on) {
  start.disabled = on;
  for (const name of ["microphone", "language", "diarize"]) form.elements[name].disabled = on;
  if (on) return;
  const isHere = [stop, document.body].includes(document.activeElement);
  setHidden(start, false);
  setHidden(stop, true);
  if (isHere) start.focus();
}

function addResult(sentence, jobId) {
  const row = stamp("live-result");
  setText(field(row, "sentence"), sentence);
  const link = field(row, "link");
  setHidden(link, !jobId);
  if (jobId) link.href = urls.job_url.replace(/0$/, jobId);
  setText(link, jobId ? text("captions_open") : "");
  byId("live-results").append(row);
}

async function listMicrophones() {
  const select = form.elements.microphone;
  const found = (await microphones.list()).filter(({ id }) => id !== "default" && id !== "communications");
  const chosen = select.value;
  const shown = found.map(({ id, name }, at) => new Option(name || text("captions_microphone", { n: at + 1 }), id));
  select.replaceChildren(select.options[0], ...shown);
  select.value = found.some(({ id }) => id === chosen) ? chosen : "";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!current) run();
});
stop.addEventListener("click", () => current && finish(current));
copy.addEventListener("click", async () => {
  await copyText(captions.text);
  const shown = copy.querySelector("span");
  const before = shown.textContent;
  setText(shown, text("copied"));
  setTimeout(() => setText(shown, before), 2000);
});
navigator.mediaDevices?.addEventListener?.("devicechange", listMicrophones);
fillScreen(byId("stage"), byId("live-fill"));
keepChoices(form, byId("stage"));
listMicrophones();
