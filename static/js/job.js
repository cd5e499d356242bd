// One recording's page: progress, steps, log and transcript, as they are stored and pushed.

import { call } from "./api.js";
import { copyText } from "./clipboard.js";
import { field, setData, setHidden, setProgress, setText, stamp } from "./dom.js";
import { bytes, languageName, percent, setTime, span, timeLeft } from "./format.js";
import { keepOpen } from "./live.js";
import { Revisions } from "./revisions.js";
import { showState } from "./state.js";
import { data, label, text, told } from "./texts.js";
import { TranscriptView } from "./transcript.js";

const start = data("start");
const page = document.getElementById("job");
const log = document.getElementById("log");
const steps = document.getElementById("steps");
const newest = document.getElementById("newest");
const announce = document.getElementById("announce");
export const transcript = new TranscriptView(document.getElementById("text"));
const revisions = new Revisions();
const seen = { job: start.job, watched: false, logged: new Set(start.job.runtime_log.map(keyOf)) };

const ACTIVE = new Set(["queued", "downloading", "transcribing", "finalizing"]);
const UNHEARD = new Set(["queued", "fetching", "decoding", "waiting"]);
const GATHERING_MS = 80;
const isActive = (job) => ACTIVE.has(job.status);
const put = (name, value) => setText(field(page, name), value);

function showJob(job) {
  const before = seen.job;
  seen.job = { ...before, ...job };
  const now = seen.job;
  setData(page, "status", now.status);
  document.title = `${isActive(now) ? `${percent(now.progress)} · ` : ""}${now.title} · Tools Whisper`;
  put("title", now.title);
  put("status", label("status", now.status, now.status_label));
  setData(field(page, "status"), "status", now.status);
  showFacts(now);
  showProgress(now);
  showOutcome(now);
  showActions(now);
  if (job.steps) showSteps(job.steps);
  showTextState(now);
  if (before.stage !== now.stage) setText(announce, label("stage", now.stage, now.stage_label));
}

/** A change of a job that waits tells neither its place nor how long it takes; both follow in a message of their own. */
function keepPlace(job) {
  if (!UNHEARD.has(job.stage)) return job;
  const { queue_position, eta_seconds } = seen.job;
  return { ...job, queue_position: job.queue_position ?? queue_position, eta_seconds: job.eta_seconds ?? eta_seconds };
}

function showFacts(job) {
  if (job.source_type === "upload") put("source", job.source_filename);
  put("duration", job.source_duration_human);
  put("size", job.source_size_bytes ? bytes(job.source_size_bytes) : "");
  put("model", job.model === "auto" ? "" : job.model);
  const language = job.detected_language || job.language;
  put("language", language ? languageName(language) : "");
  put("engine", job.quality === "draft" ? "" : told(job.engine_reason));
}

function showProgress(job) {
  // A bar that was watched to its end stays, so that the text under it does not jump.
  setHidden(field(page, "progress-box"), !isActive(job) && !(job.status === "completed" && seen.watched));
  seen.watched ||= isActive(job);
  put("stage", label("stage", job.stage, job.stage_label));
  put("percent", percent(job.progress));
  put("detail", detailOf(job));
  setProgress(field(page, "progress"), job.progress);
  const eta = job.eta_seconds;
  put("eta", job.cancel_requested ? text("cancelling") : eta === null || eta === undefined ? "" : timeLeft(eta));
}

function detailOf(job) {
  if (job.queue_position && (job.stage === "queued" || job.stage === "waiting")) return text("position", { n: job.queue_position });
  if (job.status === "completed") return text("took", { time: span((new Date(job.completed_at) - new Date(job.started_at)) / 1000) });
  const heard = job.steps?.find((step) => step.kind === "window");
  if (!job.stage_detail && heard?.total && job.stage !== "reviewing") return text("parts", { n: Math.min(heard.done + 1, heard.total), total: heard.total });
  return told(job.stage_detail);
}

function showOutcome(job) {
  setHidden(field(page, "failure-box"), job.status !== "failed");
  put("failure-title", text(job.failure_code === "cancelled" ? "was_cancelled" : "has_failed"));
  put("failure", told(job.failure_error));
  put("failure-code", job.failure_code);
  setHidden(field(page, "failure-again"), !start.model_failures.includes(job.failure_code));
  setHidden(field(page, "draft-box"), job.quality !== "draft" || job.status === "failed");
  const isReadable = start.readable.includes(job.stage);
  for (const id of ["downloads", "correct", "check", "history"]) setHidden(document.getElementById(id), !isReadable);
}

function showActions(job) {
  setHidden(page.querySelector('[data-action="cancel"]'), !isActive(job) || job.cancel_requested);
  setHidden(page.querySelector('[data-action="trash"]'), isActive(job) && job.status !== "queued");
}

function showSteps(rows) {
  steps.replaceChildren(
    ...rows.map((step) => {
      const item = stamp("step");
      setData(item, "kind", step.kind);
      setData(item, "state", step.state);
      setText(field(item, "name"), label("kind", step.kind, step.label));
      setText(field(item, "state"), stepState(step));
      setText(field(item, "error"), told(step.error));
      setHidden(field(item, "error"), !step.error);
      return item;
    }),
  );
}

function stepState(step) {
  const parts = [];
  if (step.total) parts.push(text("done_of", { done: step.done, total: step.total }));
  else parts.push(label("step_state", step.state));
  if (step.attempts > 1) parts.push(text("attempt", { n: step.attempts }));
  return parts.join(" · ");
}

function showTextState(job) {
  const state = document.getElementById("text-state");
  document.getElementById("copy").disabled = transcript.size === 0;
  if (!isActive(job) || job.stage === "reviewing") {
    setData(state, "state", "over");
    return setText(state, transcript.size ? "" : text(job.status === "failed" ? "no_text_failed" : "no_text"));
  }
  setData(state, "state", transcript.size ? "working" : "waiting");
  return setText(state, text(transcript.size ? "more_text" : "first_text"));
}

function takeSegments(segments, news) {
  const { top, bottom } = document.getElementById("text").getBoundingClientRect();
  const added = transcript.add(segments, news);
  if (added && news && bottom > innerHeight && top < innerHeight / 2) setHidden(newest, false);
  showTextState(seen.job);
}

function keyOf(line) {
  return `${line.at} ${line.message}`;
}

function takeLog(entries) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  for (const line of entries) {
    if (seen.logged.has(keyOf(line))) continue;
    seen.logged.add(keyOf(line));
    const item = stamp("log-line");
    setData(item, "level", line.level);
    setTime(item.querySelector("time"), line.at);
    setText(field(item, "message"), told(line.message));
    log.append(item);
  }
  if (atEnd) log.scrollTop = log.scrollHeight;
}

/** Segments of a long recording come in many messages: they are shown together, the first ones at once. */
const waiting = { messages: [], timer: 0, took: 0 };
function gather(message) {
  waiting.messages.push(message);
  if (!transcript.size) return showGathered();
  // A machine that is slow at it does it less often.
  waiting.timer ||= setTimeout(showGathered, Math.max(GATHERING_MS, 4 * waiting.took));
  return undefined;
}

function showGathered() {
  const [messages, began] = [waiting.messages.splice(0), performance.now()];
  clearTimeout(waiting.timer);
  waiting.timer = 0;
  // Without a window they are what was there before, and no news to jump to.
  for (const isNews of [false, true]) {
    const segments = messages.filter(({ window }) => (window !== null) === isNews).flatMap((one) => one.segments);
    if (segments.length) takeSegments(segments, isNews);
  }
  for (const message of messages) pass(message);
  waiting.took = performance.now() - began;
}

const on = {
  snapshot: ({ revision, job }) => {
    revisions.promise(revision);
    showJob(job);
    transcript.speakers(job.diarization.speakers);
    takeLog(job.runtime_log);
  },
  change: ({ job, revision }) => {
    // A whole job is sent before the segments that belong to it, a summary after them.
    if (job.windows) revisions.promise(revision);
    else revisions.keep(revision);
    if (job.diarization) transcript.speakers(job.diarization.speakers);
    if (revision > seen.job.revision) showJob(keepPlace(job));
  },
  place: ({ queue_position, eta_seconds }) => showJob({ queue_position, eta_seconds }),
  log: ({ entries }) => takeLog(entries),
  deleted: leave,
};

/** For the parts of the page that have a script of their own. */
function pass(message) {
  document.dispatchEvent(new CustomEvent(`job:${message.type}`, { detail: message }));
}

/** The page hears of its own deleting twice: as the answer and by the socket. */
let left = false;
let discarding = false;
function leave() {
  // Whoever throws it away is offered to undo that.
  if (!left) location.assign(discarding ? `${start.queue_url}?undo=${start.job.id}` : start.queue_url);
  left = true;
}

async function act(name) {
  discarding = name === "trash";
  const buttons = page.querySelectorAll("[data-action]");
  setText(document.getElementById("action-error"), "");
  for (const button of buttons) button.disabled = true;
  try {
    const answer = await call("POST", `${start.api_url}/${name}`);
    if (name === "trash") return leave();
    if (answer.job) showJob(answer.job);
  } catch (error) {
    discarding = false;
    setText(document.getElementById("action-error"), error.message);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
  return undefined;
}

async function copy() {
  await copyText(transcript.text());
  const name = document.querySelector("#copy span");
  const idle = name.textContent;
  setText(name, text("copied"));
  setText(announce, text("copied"));
  setTimeout(() => setText(name, idle), 2000);
}

page.addEventListener("click", (event) => {
  const action = event.target.closest("[data-action]")?.dataset.action;
  if (action) act(action);
});
document.getElementById("copy").addEventListener("click", copy);
newest.addEventListener("click", () => {
  setHidden(newest, true);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.getElementById("text-state").scrollIntoView({ block: "end", behavior: calm ? "auto" : "smooth" });
});
new IntersectionObserver(([entry]) => {
  if (entry.isIntersecting) setHidden(newest, true);
}).observe(document.getElementById("text-state"));

for (const button of page.querySelectorAll("[data-action]")) button.disabled = false;
transcript.speakers(start.speakers);
showJob(start.job);
// When every script of the page listens. Whoever follows a link to a place wants the words there, and no jump on the way.
document.addEventListener("DOMContentLoaded", () => {
  if (!location.hash) takeSegments(start.segments, false);
});
log.scrollTop = log.scrollHeight;
keepOpen({
  path: () => `${start.socket}?since=${revisions.whole}`,
  onMessage: (message) => {
    if (message.type === "segments") return gather(message);
    // What came before is shown before.
    if (waiting.messages.length) showGathered();
    on[message.type]?.(message);
    return pass(message);
  },
  onState: (state, reason) => showState(document.getElementById("live"), state, reason),
});
