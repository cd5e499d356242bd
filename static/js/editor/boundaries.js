// The sound around the current segment with its beginning and end, which can be dragged or moved with the arrow keys.

import { setData, setHidden, setText } from "../dom.js";
import { text } from "../texts.js";

const AROUND_SECONDS = 2;
const STEP_SECONDS = 0.1;
const PAGE_SECONDS = 1;
/** How much of its colour the sound around the segment keeps. */
const OUTSIDE = 0.35;
const clockOf = (seconds) => text("edit_seconds", { n: seconds.toFixed(1) });

export class Boundaries {
  #root;
  #editor;
  #player;
  #peaks = null;
  #segment = null;
  #from = 0;
  #seconds = 1;
  #drag = null;

  constructor(root, editor, player, waveformUrl) {
    [this.#root, this.#editor, this.#player] = [root, editor, player];
    this.canvas = root.querySelector("canvas");
    this.handles = { start: root.querySelector('[data-edge="start"]'), end: root.querySelector('[data-edge="end"]') };
    this.needle = root.querySelector(".needle");
    for (const [edge, handle] of Object.entries(this.handles)) this.#wire(edge, handle);
    this.canvas.addEventListener("click", ({ offsetX }) => player?.seek(this.#from + (offsetX / this.canvas.clientWidth) * this.#seconds));
    player?.addEventListener("time", () => this.#showNeedle());
    new ResizeObserver(() => this.#draw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    if (waveformUrl) this.#load(waveformUrl);
  }

  async #load(url) {
    try {
      const answer = await fetch(url);
      if (!answer.ok) return;
      this.#peaks = await answer.json();
      this.#draw();
    } catch {
      // Without the shape of the sound the boundaries can be moved as well.
    }
  }

  /** Shows a segment; the view stays while its own boundaries are moved inside it. */
  show(segment) {
    // Its room is kept: nothing moves under the mouse when a segment is chosen.
    setData(this.#root, "empty", !segment);
    if (!segment) return;
    const isOther = this.#segment?.id !== segment.id;
    this.#segment = segment;
    const isInside = segment.start >= this.#from && segment.end <= this.#from + this.#seconds;
    if (isOther || (!isInside && !this.#drag)) {
      this.#from = Math.max(0, segment.start - AROUND_SECONDS);
      this.#seconds = segment.end + AROUND_SECONDS - this.#from;
    }
    this.#draw();
  }

  #wire(edge, handle) {
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      this.#drag = { edge, seconds: this.#segment[edge] };
    });
    handle.addEventListener("pointermove", (event) => {
      if (this.#drag?.edge !== edge) return;
      const box = this.canvas.getBoundingClientRect();
      this.#drag.seconds = this.#from + (Math.min(Math.max(event.clientX, box.left), box.right) - box.left) * (this.#seconds / box.width);
      this.#showHandles();
    });
    const drop = () => {
      const drag = this.#drag;
      this.#drag = null;
      if (drag) this.#editor.moveBoundary(this.#segment.id, edge, drag.seconds);
      this.#showHandles();
    };
    handle.addEventListener("pointerup", drop);
    handle.addEventListener("pointercancel", () => {
      this.#drag = null;
      this.#showHandles();
    });
    handle.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -STEP_SECONDS, ArrowDown: -STEP_SECONDS, ArrowRight: STEP_SECONDS, ArrowUp: STEP_SECONDS, PageDown: -PAGE_SECONDS, PageUp: PAGE_SECONDS }[event.key];
      if (!by || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.#editor.moveBoundary(this.#segment.id, edge, this.#segment[edge] + by);
    });
  }

  #x = (seconds) => `${Math.min(100, Math.max(0, (100 * (seconds - this.#from)) / this.#seconds))}%`;

  #at(edge) {
    return this.#drag?.edge === edge ? this.#drag.seconds : this.#segment[edge];
  }

  #showHandles() {
    for (const [edge, handle] of Object.entries(this.handles)) {
      const seconds = this.#at(edge);
      handle.style.insetInlineStart = this.#x(seconds);
      handle.setAttribute("aria-valuemin", Math.floor(this.#from));
      handle.setAttribute("aria-valuemax", Math.ceil(this.#from + this.#seconds));
      handle.setAttribute("aria-valuenow", seconds.toFixed(2));
      handle.setAttribute("aria-valuetext", clockOf(seconds));
    }
    const span = this.#at("end") - this.#at("start");
    setText(this.#root.querySelector(".length"), clockOf(Math.max(0, span)));
  }

  #showNeedle() {
    const { time } = this.#player;
    const isInside = time >= this.#from && time <= this.#from + this.#seconds;
    setHidden(this.needle, !isInside);
    if (isInside) this.needle.style.insetInlineStart = this.#x(time);
  }

  #draw() {
    if (!this.#segment) return;
    this.#showHandles();
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width) return;
    const scale = devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [width * scale, height * scale];
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.fillStyle = getComputedStyle(this.canvas).color;
    this.#drawBars(pen, width, height);
  }

  #drawBars(pen, width, height) {
    const bars = Math.floor(width / 3);
    for (let bar = 0; bar < bars; bar += 1) {
      const seconds = this.#from + ((bar + 0.5) / bars) * this.#seconds;
      const loud = Math.max(2, this.#loudness(seconds, this.#seconds / bars) * (height - 4));
      pen.globalAlpha = seconds >= this.#segment.start && seconds <= this.#segment.end ? 1 : OUTSIDE;
      pen.fillRect(bar * 3, (height - loud) / 2, 2, loud);
    }
  }

  #loudness(seconds, span) {
    if (!this.#peaks) return 0;
    const { per_second: rate, peaks } = this.#peaks;
    const from = Math.floor((seconds - span / 2) * rate);
    const to = Math.max(from + 1, Math.ceil((seconds + span / 2) * rate));
    return Math.max(0, ...peaks.slice(Math.max(0, from), to)) / 255;
  }
}
