// The approval on a job's page: the server draws the part; it is drawn anew when the job moves, unless somebody writes in it.

import { localiseTimes } from "./format.js";
import { data } from "./texts.js";

const PAUSE_MS = 400;
const part = () => document.getElementById("approval");
const seen = { stage: data("start")?.job.stage, timer: 0 };

async function redraw() {
  try {
    const answer = await fetch(part().dataset.url, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("approval");
    if (!fresh || isBusy() || fresh.innerHTML === part().innerHTML) return;
    const focused = document.activeElement?.value;
    const held = part().contains(document.activeElement);
    part().replaceWith(fresh);
    localiseTimes(fresh);
    if (held) [...fresh.querySelectorAll("button, a")].find(({ value }) => value === focused)?.focus();
  } catch {
    // What is shown stays; the next push brings it up to date.
  }
}

/** What somebody has typed or is choosing here would be lost. */
const isBusy = () => Boolean(part().querySelector("select:focus")) || [...part().querySelectorAll("textarea")].some(({ value }) => value);

function follow({ detail: { job } }) {
  const stage = job.stage ?? seen.stage;
  if (stage === seen.stage && stage !== "reviewing") return;
  seen.stage = stage;
  clearTimeout(seen.timer);
  seen.timer = setTimeout(redraw, PAUSE_MS);
}

if (part()?.dataset.url) {
  document.addEventListener("job:change", follow);
  document.addEventListener("job:snapshot", follow);
}
