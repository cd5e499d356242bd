// Takes the parts of this page anew every few seconds while somebody looks at it.

import { localiseTimes } from "./format.js";
import { showState } from "./state.js";

const EVERY_MS = 5000;
const live = document.getElementById("live");
const shown = new Map();
let timer = 0;
let asked = 0;

/** A part that somebody is in with the keyboard waits for the next time. */
function take(fresh) {
  for (const part of document.querySelectorAll("[data-part]")) {
    const html = fresh.querySelector(`[data-part="${part.dataset.part}"]`)?.innerHTML;
    if (html === undefined || html === shown.get(part) || part.contains(document.activeElement)) continue;
    shown.set(part, html);
    part.innerHTML = html;
    localiseTimes(part);
  }
}

async function refresh() {
  const mine = ++asked;
  clearTimeout(timer);
  try {
    const answer = await fetch(location.pathname.replace(/\/run$/, ""), { headers: { Accept: "text/html" }, redirect: "error" });
    if (mine !== asked) return;
    if (!answer.ok) throw new Error(answer.statusText);
    take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    showState(live, "open");
  } catch {
    if (mine === asked) showState(live, "lost");
  }
  if (mine === asked && document.visibilityState === "visible") timer = setTimeout(refresh, EVERY_MS);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (document.visibilityState === "visible") refresh();
});
addEventListener("online", refresh);
addEventListener("offline", () => showState(live, "lost"));
if (document.visibilityState === "visible") refresh();
