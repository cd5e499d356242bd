// Where somebody stopped listening, and how fast: kept in this browser, per recording.

import { keep, kept } from "./kept.js";
import { secondAsked } from "./place.js";

const EVERY_MS = 5000;
const NEAR_THE_END_SECONDS = 3;

/** Goes to where it was left, unless the address asks for a place of its own, and notes where it is left next. */
export function remember(key, player) {
  const name = `player:${key}`;
  const before = kept(name, {});
  const asked = secondAsked();
  if (before.rate > 0) player.rate = before.rate;
  if (asked !== null || before.time > 0) player.seek(asked ?? before.time);
  rememberVolume(player.media);
  const note = () => {
    const isOver = player.duration - player.time < NEAR_THE_END_SECONDS;
    keep(name, { time: isOver ? 0 : player.time, rate: player.rate });
  };
  let notedAt = performance.now();
  player.addEventListener("time", () => {
    if (!player.playing || performance.now() - notedAt < EVERY_MS) return;
    notedAt = performance.now();
    note();
  });
  player.addEventListener("rate", note);
  player.media.addEventListener("pause", note);
  player.media.addEventListener("seeked", () => player.playing || note());
  addEventListener("pagehide", note);
}

function rememberVolume(media) {
  const { volume, muted } = kept("player-volume", {});
  if (volume >= 0 && volume <= 1) media.volume = volume;
  media.muted = muted === true;
  media.addEventListener("volumechange", () => keep("player-volume", { volume: media.volume, muted: media.muted }));
}
