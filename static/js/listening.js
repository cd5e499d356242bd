// A job's page while somebody listens: the transcript in step with the player, search, keys, links to places, corrections.

import { call } from "./api.js";
import { copyText } from "./clipboard.js";
import { setText } from "./dom.js";
import { transcript } from "./job.js";
import { keys, playerKeys, showKeys } from "./keys.js";
import { Corrections } from "./listening/corrections.js";
import { Find } from "./listening/find.js";
import { Follow } from "./listening/follow.js";
import { characterAt, goTo, step } from "./listening/moving.js";
import { markSaid } from "./listening/said.js";
import { markUnsure } from "./listening/unsure.js";
import { hashOf, secondAsked } from "./place.js";
import { playerOn } from "./player.js";
import { showCaptions } from "./playercontrols.js";
import { data, text } from "./texts.js";
import { wordAt } from "./wordplaces.js";

const start = data("start");
const root = document.getElementById("text");
const box = () => document.getElementById("player");
const button = (id) => document.getElementById(id);
const covered = () => Math.max(0, box().getBoundingClientRect().bottom) + 24;
const follow = new Follow(button("follow"), covered);
const find = new Find(button("find"), transcript, showMatch);
const corrections = new Corrections(start.corrections_url, transcript, readAll);
let player = null;
let stage = start.job.stage;
let language = "";
let wanted = secondAsked();

/** Listens to the player that the page has now; it comes later where the recording is not on the server yet. */
function begin() {
  player = playerOn(box());
  if (!player) return;
  root.dataset.playable = "yes";
  button("follow").hidden = false;
  markSaid(transcript, player, (range, paragraph) => player.playing && follow.show(range, paragraph));
  keys(playerKeys(player));
}

/** Plays from here, or goes there where nothing can be played. */
function playFrom(seconds) {
  if (!player) return goTo(transcript, seconds);
  player.seek(seconds);
  return player.play();
}

function go(seconds) {
  follow.set(false);
  player?.seek(seconds);
  return goTo(transcript, seconds);
}

function showMatch(range, paragraph) {
  follow.set(false);
  // First the paragraph, whose inside may not be laid out while it is far away.
  paragraph.scrollIntoView({ block: "nearest" });
  const place = (range ?? paragraph).getBoundingClientRect();
  if (place.top < covered() || place.bottom > innerHeight - 40) scrollBy({ top: place.top - innerHeight / 2 });
}

function moveBy(direction) {
  const paragraph = step(root, direction);
  if (!paragraph) return;
  follow.set(false);
  const { start: seconds } = transcript.paragraphOf(paragraph);
  player?.seek(seconds);
}

/** What the click on a word means: play from there. A selection stays a selection. */
function clicked(event) {
  const place = event.target.closest(".clock");
  if (place && !event.metaKey && !event.ctrlKey) {
    event.preventDefault();
    history.replaceState(null, "", place.hash);
    playFrom(secondAsked(place.hash));
    return;
  }
  const span = event.target.closest("[data-start]");
  if (!span || !player || !getSelection().isCollapsed) return;
  const segment = transcript.segmentOf(span);
  const character = characterAt(span, event.clientX, event.clientY);
  playFrom((character === null ? null : wordAt(segment, character)?.start) ?? segment.start);
}

/** One button for all paragraphs, which stands at the one that the pointer or the focus is in. */
const link = document.getElementById("copy-link").content.firstElementChild.cloneNode(true);
function offerLink(event) {
  const paragraph = event.target.closest?.(".paragraph");
  if (paragraph && link.parentElement !== paragraph) paragraph.append(link);
}

async function copyLink() {
  const { start: seconds } = transcript.paragraphOf(link.closest(".paragraph"));
  await copyText(new URL(hashOf(seconds), location.href).href);
  setText(document.getElementById("announce"), text("copied"));
  link.dataset.done = "";
  setTimeout(() => delete link.dataset.done, 2000);
}

function correct() {
  if (start.editor_url && !button("correct").hidden) location.assign(start.editor_url + hashOf(player?.time ?? 0));
}

async function readAll() {
  const all = [];
  for (let offset = 0; offset !== null; ) {
    const { segments, next } = await call("GET", `${start.segments_url}?limit=1000&offset=${offset}`);
    all.push(...segments);
    offset = next;
  }
  transcript.replace(all);
}

/** The player's part anew: the recording is on this server now. */
async function renewPlayer() {
  try {
    const answer = await fetch(start.player_url, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("player");
    if (!answer.ok || !fresh || !box().hasAttribute("data-awaited")) return;
    box().replaceWith(fresh);
    begin();
  } catch {
    // The next change of the job tries again.
  }
}

function hear({ detail: { job } }) {
  if (job.transcript_version !== undefined) corrections.heard(job.transcript_version);
  if (job.stage === stage || job.stage === undefined) return;
  stage = job.stage;
  if (box().hasAttribute("data-awaited")) renewPlayer();
  else box().dispatchEvent(new Event("player:decoded"));
  if (start.readable.includes(stage)) caption();
}

function caption() {
  const { captions, captionsLanguage } = box().dataset;
  if (!captions) return;
  const address = new URL(captions, location.href);
  if (language) address.searchParams.set("language", language);
  showCaptions(box(), address.href, language || captionsLanguage);
}

keys([
  { keys: "ArrowUp", name: text("key_previous"), run: () => moveBy(-1) },
  { keys: "ArrowDown", name: text("key_next"), run: () => moveBy(1) },
  { keys: "f", name: text("key_follow"), run: () => button("follow").click() },
  { keys: "/", name: text("key_find"), run: () => find.focus() },
  ...(start.editor_url ? [{ keys: "e", name: text("key_correct"), run: correct }] : []),
]);
button("follow").addEventListener("click", () => {
  follow.set(!follow.isOn);
  const now = root.querySelector(".paragraph.playing");
  if (now) follow.show(null, now);
});
button("show-keys").addEventListener("click", showKeys);
link.addEventListener("click", copyLink);
root.addEventListener("click", clicked);
for (const kind of ["pointerover", "focusin"]) root.addEventListener(kind, offerLink);
addEventListener("hashchange", () => {
  const seconds = secondAsked();
  if (seconds !== null) go(seconds);
});
transcript.addEventListener("shown", () => {
  if (wanted !== null && transcript.reaches(wanted) && goTo(transcript, wanted)) wanted = null;
});
// Chapters lead to a place of the text by themselves; the sound goes along.
document.addEventListener("click", (event) => {
  const place = event.target.closest("[data-seconds]");
  if (place) player?.seek(Number(place.dataset.seconds));
});
document.addEventListener("place:go", ({ detail: { seconds, plays } }) => {
  // What is not here yet is gone to when it comes.
  if (!transcript.reaches(seconds)) wanted = seconds;
  go(seconds);
  if (plays) player?.play();
});
document.addEventListener("transcript:language", ({ detail }) => {
  language = detail.language;
  caption();
});
document.addEventListener("job:snapshot", hear);
document.addEventListener("job:change", hear);
document.addEventListener("job:corrected", ({ detail }) => corrections.heard(detail.version));
markUnsure(transcript, button("unsure"));
// The first segments came with the page; what was corrected since then is read when the socket tells of it.
corrections.heard(start.transcript_version);
begin();
