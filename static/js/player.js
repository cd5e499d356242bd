// The player of a recording. Pages follow it by its events "time" (often while it plays), "state", "rate" and "wave".

import { wireControls } from "./playercontrols.js";
import { remember } from "./playermemory.js";
import { offerToSystem } from "./playersession.js";
import { drawWave } from "./wave.js";

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3];
const CAUSES = ["play", "playing", "pause", "ended", "waiting", "stalled", "error", "durationchange", "loadedmetadata", "volumechange"];
const known = new WeakMap();

export class Player extends EventTarget {
  #media;
  #length;
  #until = null;
  #frame = 0;
  #wave = null;

  /** `length` in seconds holds until the file itself says how long it is. */
  constructor(media, length = 0) {
    super();
    this.#media = media;
    this.#length = length;
    media.preservesPitch = true;
    for (const cause of CAUSES) media.addEventListener(cause, () => this.#tell("state"));
    for (const cause of ["timeupdate", "seeking"]) media.addEventListener(cause, () => this.#moved());
    media.addEventListener("ratechange", () => this.#tell("rate"));
    media.addEventListener("play", () => this.#watch());
    media.addEventListener("pause", () => (this.#until = null));
  }

  get media() {
    return this.#media;
  }

  /** The component that draws the sound (a WaveSurfer); null until a "wave" event tells that it is there. */
  get wave() {
    return this.#wave;
  }

  set wave(wave) {
    this.#wave = wave;
    this.#tell("wave");
  }

  get time() {
    return this.#media.currentTime;
  }

  get duration() {
    return Number.isFinite(this.#media.duration) && this.#media.duration > 0 ? this.#media.duration : this.#length;
  }

  get playing() {
    return !this.#media.paused && !this.#media.ended;
  }

  get rate() {
    return this.#media.playbackRate;
  }

  set rate(rate) {
    const held = Math.min(RATES.at(-1), Math.max(RATES[0], Number(rate) || 1));
    this.#media.defaultPlaybackRate = held;
    this.#media.playbackRate = held;
  }

  /** The next speed of the list, up (1) or down (-1). */
  shiftRate(direction) {
    const further = direction > 0 ? RATES.find((rate) => rate > this.rate) : RATES.findLast((rate) => rate < this.rate);
    if (further) this.rate = further;
  }

  seek(seconds) {
    this.#until = null;
    this.#media.currentTime = Math.min(Math.max(0, seconds), this.duration || Infinity);
    this.#tell("time");
  }

  async play() {
    if (this.#media.error) this.#loadAgain();
    try {
      await this.#media.play();
    } catch {
      // Paused before it began, or the browser wants a click first; an error has an event of its own.
    }
  }

  pause() {
    this.#media.pause();
  }

  toggle() {
    return this.playing ? this.pause() : this.play();
  }

  /** Plays from `start` and stops at `end`, unless somebody goes elsewhere meanwhile. */
  playSpan(start, end) {
    this.seek(start);
    this.#until = end;
    return this.play();
  }

  #loadAgain() {
    const { currentTime } = this.#media;
    this.#media.load();
    this.#media.currentTime = currentTime;
  }

  #moved() {
    if (this.#until !== null && this.time >= this.#until) this.pause();
    this.#tell("time");
  }

  /** Word by word: the browser's own "timeupdate" comes four times a second only, but also where nothing is drawn. */
  #watch() {
    cancelAnimationFrame(this.#frame);
    const look = () => {
      if (!this.playing) return;
      this.#moved();
      this.#frame = requestAnimationFrame(look);
    };
    this.#frame = requestAnimationFrame(look);
  }

  #tell(kind) {
    this.dispatchEvent(new Event(kind));
  }
}

/** The player in `root` (the part templates/parts/player.html, or what is around it); null when there is nothing to play. */
export function playerOn(root) {
  const box = root?.matches("[data-player]") ? root : root?.querySelector("[data-player]");
  const media = box?.querySelector("[data-field=media]");
  if (!media) return null;
  if (!known.has(box)) known.set(box, start(box, media));
  return known.get(box);
}

function start(box, media) {
  const player = new Player(media, Number(box.dataset.duration) || 0);
  wireControls(box, player);
  remember(box.dataset.player, player);
  offerToSystem(box.dataset.title, player);
  const draw = () => drawWave(box, player);
  // The sound of a recording that is still being decoded has no shape yet; the page says when it has.
  box.addEventListener("player:decoded", draw);
  draw();
  return player;
}
