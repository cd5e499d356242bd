// The list of recordings: what the server rendered, kept up to date over a socket, filtered and paged without a reload.

import { call } from "./api.js";
import { data, label, text, told } from "./texts.js";
import { field, setData, setHidden, setProgress, setText, stamp } from "./dom.js";
import { percent, setTime, span, timeLeft } from "./format.js";
import { keepOpen } from "./live.js";
import { showState } from "./state.js";
import "./undo.js";

const start = data("start");
const list = document.getElementById("jobs");
const more = document.getElementById("more");
const find = document.getElementById("find");
const search = find.elements.q;
const live = document.getElementById("live");

const jobs = new Map();
const removed = new Set();
const view = { status: start.status, q: start.q, next: start.next, positions: {}, etas: {}, asked: 0 };
const UNHEARD = new Set(["queued", "fetching", "decoding", "waiting"]);
const ACTIVE = new Set(["queued", "downloading", "transcribing", "finalizing"]);

const fits = (job) => !view.status || (view.status === "active" ? ACTIVE.has(job.status) : job.status === view.status);

function showJob(job) {
  const row = list.querySelector(`[data-id="${job.id}"]`) ?? insert(job);
  const over = job.status === "completed" || job.status === "failed";
  const link = field(row, "title");
  setData(row, "status", job.status);
  setText(link, job.title);
  if (link.getAttribute("href") !== job.url) link.href = job.url;
  setText(field(row, "status"), label("status", job.status, job.status_label));
  setData(field(row, "status"), "status", job.status);
  setHidden(field(row, "draft"), job.quality !== "draft" || job.status !== "completed");
  setHidden(field(row, "sandbox"), !job.sandbox);
  setText(field(row, "duration"), job.source_duration_human);
  setText(field(row, "model"), job.model === "auto" ? "" : job.model);
  setText(field(row, "owner"), job.owner_email === start.me ? "" : job.owner_email);
  setTime(field(row, "when"), job.created_at);
  setHidden(field(row, "progress-box"), over);
  setText(field(row, "stage"), placeOf(job) ?? label("stage", job.stage, job.stage_label));
  setText(field(row, "eta"), job.cancel_requested ? text("cancelling") : timeLeftOf(job));
  setText(field(row, "percent"), percent(job.progress));
  // Of one that waits its place says more, and both don't fit.
  setHidden(field(row, "percent"), isWaiting(job) && timeLeftOf(job) !== "");
  setProgress(field(row, "progress"), job.progress);
  setText(field(row, "outcome"), outcomeOf(job));
}

const isWaiting = (job) => job.stage === "queued" || job.stage === "waiting";

/** A change of a job that waits tells neither its place nor how long it takes: that comes with the line. */
function keepPlace(job, { queue_position, eta_seconds }) {
  if (!UNHEARD.has(job.stage)) return job;
  return { ...job, queue_position: job.queue_position ?? queue_position, eta_seconds: job.eta_seconds ?? eta_seconds };
}

function placeOf(job) {
  const position = view.positions[job.id] ?? job.queue_position;
  return position && isWaiting(job) ? text("position", { n: position }) : null;
}

function timeLeftOf(job) {
  const eta = (UNHEARD.has(job.stage) ? view.etas[job.id] : null) ?? job.eta_seconds;
  return Number.isFinite(eta) ? timeLeft(eta) : "";
}

function outcomeOf(job) {
  if (job.status === "failed") return told(job.failure_error);
  if (job.status !== "completed" || !job.started_at) return "";
  return text("took", { time: span((new Date(job.completed_at) - new Date(job.started_at)) / 1000) });
}

/** A new row in its place: newest first. */
function insert(job) {
  const row = stamp("row");
  row.dataset.id = job.id;
  const after = [...list.children].find((other) => Number(other.dataset.id) < job.id);
  list.insertBefore(row, after ?? null);
  return row;
}

function take(job) {
  const known = jobs.get(job.id);
  if (removed.has(job.id) || (known && known.revision >= job.revision)) return;
  // What the search finds is the server's to say: an unknown job waits for the next question.
  if (!known && view.q) return;
  if (!fits(job)) return drop(job.id);
  const now = known ? keepPlace(job, known) : job;
  jobs.set(job.id, now);
  showJob(now);
  showEmptiness();
}

function drop(id) {
  jobs.delete(id);
  list.querySelector(`[data-id="${id}"]`)?.remove();
  showEmptiness();
}

function replaceAll(page, next) {
  jobs.clear();
  list.replaceChildren();
  view.next = next;
  append(page, next);
}

function append(page, next) {
  view.next = next;
  for (const job of page) {
    jobs.set(job.id, job);
    showJob(job);
  }
  setHidden(more, !next);
  showEmptiness();
}

function showEmptiness() {
  const narrowed = Boolean(view.status || view.q);
  setHidden(list, jobs.size === 0);
  setHidden(document.getElementById("empty"), narrowed || jobs.size > 0);
  setHidden(document.getElementById("nothing-found"), !narrowed || jobs.size > 0);
}

function showSummary(summary) {
  const active = summary.queued + summary.processing;
  const counts = { all: active + summary.completed + summary.failed, active, completed: summary.completed, failed: summary.failed };
  for (const [name, count] of Object.entries(counts)) setText(document.querySelector(`[data-count="${name}"]`), String(count));
}

/** Asks the API for a page of the current view; an answer that a newer question overtook is dropped. */
async function ask(cursor) {
  const asked = ++view.asked;
  const query = new URLSearchParams({ limit: start.limit });
  for (const [name, value] of Object.entries({ status: view.status, q: view.q, cursor })) if (value) query.set(name, value);
  list.setAttribute("aria-busy", "true");
  try {
    const answer = await call("GET", `${start.list_url}?${query}`);
    if (asked !== view.asked) return;
    if (cursor) append(answer.jobs, answer.next);
    else replaceAll(answer.jobs, answer.next);
    showError("");
  } catch (error) {
    if (asked === view.asked) showError(error.message);
  } finally {
    if (asked === view.asked) list.removeAttribute("aria-busy");
  }
}

function showError(sentence) {
  const box = document.getElementById("list-error");
  setText(field(box, "sentence"), sentence);
  setHidden(box, !sentence);
}

function show(status, q) {
  Object.assign(view, { status, q });
  const query = new URLSearchParams();
  if (status) query.set("status", status);
  if (q) query.set("q", q);
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  for (const tab of document.querySelectorAll(".tabs a")) {
    if (tab.dataset.status === status) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  ask(null);
}

/** After a break the first page is taken anew; further pages that were opened keep what they show until they change. */
function catchUp(page) {
  if (view.status || view.q) return ask(null);
  const seen = new Set(page.map((job) => job.id));
  const oldest = page.length >= start.limit ? page.at(-1).id : 0;
  for (const id of [...jobs.keys()]) if (id >= oldest && !seen.has(id)) drop(id);
  page.forEach(take);
  return showEmptiness();
}

const on = {
  snapshot: ({ jobs: page, summary }) => {
    showSummary(summary);
    catchUp(page);
  },
  change: ({ job }) => take(job),
  deleted: ({ id }) => {
    removed.add(id);
    drop(id);
  },
  queue: ({ summary, positions, etas }) => {
    if (summary) showSummary(summary);
    view.positions = positions ?? {};
    view.etas = etas ?? {};
    for (const job of jobs.values()) if (isWaiting(job)) showJob(job);
  },
};

document.querySelector(".tabs").addEventListener("click", (event) => {
  const tab = event.target.closest("a");
  if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(tab.dataset.status, view.q);
});
let typing = 0;
search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => show(view.status, search.value.trim()), 250);
});
find.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  show(view.status, search.value.trim());
});
more.addEventListener("click", (event) => {
  event.preventDefault();
  ask(view.next);
});
document.getElementById("list-retry").addEventListener("click", () => ask(null));
document.addEventListener("job:submitted", (event) => {
  if (view.q || !fits(event.detail)) {
    search.value = "";
    return show("", "");
  }
  return take(event.detail);
});

append(start.jobs, start.next);
keepOpen({
  path: () => start.socket,
  onMessage: (message) => on[message.type]?.(message),
  onState: (state, reason) => showState(live, state, reason),
});
