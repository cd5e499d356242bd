// Speakers and coverage on a job's page: the server draws the part; it is drawn anew when what it shows has changed.

import { transcript } from "./job.js";
import { data } from "./texts.js";

const PAGE = 1000;
const start = data("start");
const seen = { state: stateOf(start.job), reading: null };

function stateOf({ status, steps = [] }) {
  const told = steps.filter(({ kind }) => kind === "diarize" || kind === "refill");
  return JSON.stringify([status === "completed", told.map(({ kind, state }) => [kind, state])]);
}

async function redraw() {
  const part = document.getElementById("speech");
  try {
    const answer = await fetch(part.dataset.url, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("speech");
    if (!fresh || part.querySelector("details[open]")?.contains(document.activeElement)) return;
    part.replaceWith(fresh);
  } catch {
    // What is shown stays; the next push brings it up to date.
  }
}

/** Segments that were shown have changed: all of them are read again, then shown at once. */
async function readAgain() {
  const all = [];
  for (let offset = 0; offset !== null; ) {
    const answer = await fetch(`${start.segments_url}?limit=${PAGE}&offset=${offset}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { segments, next } = await answer.json();
    all.push(...segments);
    offset = next;
  }
  transcript.replace(all);
}

function compare(job) {
  if (!job.steps) return;
  const state = stateOf({ ...start.job, ...job });
  if (state === seen.state) return;
  seen.state = state;
  redraw();
}

document.addEventListener("job:change", ({ detail }) => compare(detail.job));
document.addEventListener("job:snapshot", ({ detail }) => compare(detail.job));
document.addEventListener("job:rewritten", () => {
  redraw();
  seen.reading = (seen.reading ?? Promise.resolve()).then(readAgain).catch(() => {});
});
