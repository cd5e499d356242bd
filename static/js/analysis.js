// The analysis and the translations of a recording: kept up to date, and the transcript in another language beside its own.

import { call } from "./api.js";
import { copyText } from "./clipboard.js";
import { setHidden, setText } from "./dom.js";
import { transcript } from "./job.js";
import { goTo } from "./listening/moving.js";
import { data, text, told } from "./texts.js";

const PAGE = 1000;
const start = data("start");
const card = document.getElementById("analysis");
const seen = { made: made(start.job), language: "", wanted: null, refreshing: null };

function enriching(steps) {
  return steps.filter(({ kind }) => kind === "analyse" || kind === "translate");
}

/** What the steps tell of analysis and translations; changes when this part of the page has to. */
function made({ status, steps = [] }) {
  return JSON.stringify([status === "completed", enriching(steps).map(({ state, attempts }) => [state, attempts])]);
}

/** A worker takes a step, and says a moment later that it has begun: a page made in between shows that it waits. */
const isBehind = (steps) =>
  enriching(steps).some(({ state }) => state === "running") && !card.querySelector('[data-state="running"]');

function compare(job) {
  if (job.stage_detail) setText(document.querySelector('[data-field="enrich-detail"]'), told(job.stage_detail));
  if (!job.steps) return;
  const now = made({ ...start.job, ...job });
  if (now === seen.made && !isBehind(job.steps)) return;
  seen.made = now;
  seen.refreshing = (seen.refreshing ?? Promise.resolve()).then(refresh);
}

async function refresh() {
  let page;
  try {
    const answer = await fetch(start.enrichment_url, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return; // What the page shows stays; the next push brings it up to date.
  }
  const changed = swap(page, "enrichment");
  setHidden(card, document.getElementById("enrichment").dataset.shown !== "yes");
  // The form may be in use: it comes and goes, but is never exchanged.
  const forms = document.getElementById("enrichment-forms");
  const fresh = page.getElementById("enrichment-forms");
  if (Boolean(forms.querySelector("form")) !== Boolean(fresh.querySelector("form"))) forms.replaceWith(fresh);
  if (swap(page, "languages")) await showLanguage(offered(seen.language) ? seen.language : "");
  if (changed) setText(document.getElementById("analysis-status"), text("enriched"));
}

function swap(page, id) {
  const old = document.getElementById(id);
  const fresh = page.getElementById(id);
  if (old.innerHTML === fresh.innerHTML) return false;
  old.replaceWith(fresh);
  return true;
}

const tabs = () => [...document.querySelectorAll("#languages [data-language]")];
const offered = (language) => tabs().some((tab) => tab.dataset.language === language);

async function showLanguage(language) {
  seen.wanted = language;
  try {
    const texts = language ? await textsIn(language) : null;
    if (seen.wanted !== language) return;
    transcript.beside(texts, language);
    seen.language = language;
    document.dispatchEvent(new CustomEvent("transcript:language", { detail: { language } }));
  } catch (error) {
    setText(document.getElementById("action-error"), error.message);
  }
  for (const tab of tabs()) tab.setAttribute("aria-pressed", String(tab.dataset.language === seen.language));
  for (const link of document.querySelectorAll("#downloads [data-export]")) {
    const path = start.export_url.replace("FORMAT", link.dataset.export);
    const query = [seen.language && `language=${seen.language}`, link.dataset.query].filter(Boolean).join("&");
    link.href = query ? `${path}?${query}` : path;
  }
}

/** Segment id → its text in another language. */
async function textsIn(language) {
  const texts = new Map();
  for (let offset = 0; offset !== null; ) {
    const query = new URLSearchParams({ language, offset, limit: PAGE });
    const { segments, next } = await call("GET", `${start.segments_url}?${query}`);
    for (const segment of segments) texts.set(segment.id, segment.text);
    offset = next;
  }
  return texts;
}

card.addEventListener("click", async (event) => {
  const chapter = event.target.closest("[data-seconds]");
  if (chapter && goTo(transcript, Number(chapter.dataset.seconds))) {
    event.preventDefault();
    history.replaceState(null, "", chapter.hash);
  }
  const copy = event.target.closest("#copy-analysis");
  if (!copy) return;
  await copyText(document.getElementById("analysis-text").textContent);
  const name = copy.querySelector("span");
  const idle = name.textContent;
  setText(name, text("copied"));
  setText(document.getElementById("analysis-status"), text("copied"));
  setTimeout(() => setText(name, idle), 2000);
});
document.querySelector(".transcript").addEventListener("click", (event) => {
  const tab = event.target.closest("#languages [data-language]");
  if (tab) showLanguage(tab.dataset.language);
});
document.addEventListener("job:snapshot", ({ detail }) => compare(detail.job));
document.addEventListener("job:change", ({ detail }) => compare(detail.job));
