// The buttons, the seek bar and the clock of a player.

import { field, setData, setText } from "./dom.js";
import { clock } from "./format.js";
import { text } from "./texts.js";

const STEP_SECONDS = 5;
const LOST = 2; // MediaError.MEDIA_ERR_NETWORK

export function wireControls(box, player) {
  const acts = {
    toggle: () => player.toggle(),
    back: () => player.seek(player.time - STEP_SECONDS),
    forward: () => player.seek(player.time + STEP_SECONDS),
    mute: () => (player.media.muted = !player.media.muted),
    large: () => enlarge(box),
  };
  const [seek, rate, volume] = ["seek", "rate", "volume"].map((name) => field(box, name));
  box.addEventListener("click", (event) => acts[event.target.closest("[data-act]")?.dataset.act]?.());
  seek.addEventListener("input", () => player.seek(Number(seek.value)));
  rate.addEventListener("change", () => (player.rate = Number(rate.value)));
  volume.addEventListener("input", () => Object.assign(player.media, { volume: Number(volume.value), muted: false }));
  player.addEventListener("time", () => showTime(box, player));
  player.addEventListener("rate", () => (rate.value = String(player.rate)));
  player.addEventListener("state", () => showState(box, player));
  player.media.addEventListener("error", () => tellError(box, player));
  player.media.addEventListener("loadedmetadata", () => setText(field(box, "player-told"), ""));
  showTime(box, player);
  showState(box, player);
  // It may have failed before this script was here.
  tellError(box, player);
  setData(box, "ready", "yes");
}

function showTime(box, player) {
  const seek = field(box, "seek");
  const shown = clock(player.time);
  // A screen reader and the layout hear of whole seconds only.
  setText(field(box, "time"), shown);
  if (Math.abs(Number(seek.value) - player.time) < 0.2) return;
  seek.value = player.time;
  const told = text("player_at", { time: shown, length: clock(player.duration) });
  if (seek.getAttribute("aria-valuetext") !== told) seek.setAttribute("aria-valuetext", told);
}

function showState(box, player) {
  const { media, playing, duration } = player;
  const button = box.querySelector('[data-act="toggle"]');
  setData(box, "state", playing ? "playing" : "paused");
  button.setAttribute("aria-label", playing ? button.dataset.pause : button.dataset.play);
  setText(field(box, "duration"), clock(duration));
  const seek = field(box, "seek");
  if (duration > 0 && Number(seek.max) !== duration) seek.max = duration;
  box.querySelector('[data-act="mute"]').setAttribute("aria-pressed", String(media.muted || media.volume === 0));
  field(box, "volume").value = media.muted ? 0 : media.volume;
}

function enlarge(box) {
  const button = box.querySelector('[data-act="large"]');
  const isLarge = box.dataset.large !== "yes";
  setData(box, "large", isLarge ? "yes" : "no");
  button.setAttribute("aria-pressed", String(isLarge));
}

async function tellError(box, player) {
  const { error, currentSrc, src } = player.media;
  if (error) setText(field(box, "player-told"), await reasonOf(error, currentSrc || src));
}

/** The browser does not say whether the file is gone, the visitor is signed out, or it can't play such a file. */
async function reasonOf({ code }, address) {
  if (code === LOST) return text("unreachable");
  try {
    const answer = await fetch(address, { method: "HEAD" });
    if (answer.redirected || answer.status === 401 || answer.status === 403) return text("signed_out");
    return text(answer.status === 404 ? "player_gone" : answer.ok ? "player_unplayable" : "server_error");
  } catch {
    return text("unreachable");
  }
}

/** Captions over the picture, in a language; none where `address` is empty. */
export function showCaptions(box, address, language = "") {
  const video = box.querySelector("video");
  if (!video) return;
  for (const old of video.querySelectorAll("track")) old.remove();
  if (!address) return;
  const track = Object.assign(document.createElement("track"), { kind: "captions", src: address, srclang: language || "und", default: true });
  track.label = text("player_captions");
  video.append(track);
  track.track.mode = "showing";
}
