// What a person can do to a transcript: each verb makes a change, shows it at once and leaves the rest to the outbox.

import { newSegmentId, touched } from "./changes.js";
import { Model } from "./model.js";
import { squeezed } from "./row.js";
import { Undoing } from "./undoing.js";

/** A time is told to the server in thousandths. */
const round = (seconds) => Math.round(seconds * 1000) / 1000;
/** Shorter than this nothing can be said, or grasped with a mouse. */
export const SHORTEST = 0.1;
const NUDGE_SECONDS = 0.1;
const INSERTED_SECONDS = 2;
/** Segments that are no further apart share a boundary. */
const TOUCHING = 0.05;

/** Events: "shown" (the list has changed), "typed", "went" ({segment, offset}: where to go on writing). */
export class Editor extends EventTarget {
  constructor(outbox, start) {
    super();
    this.outbox = outbox;
    this.start = start;
    this.model = new Model(outbox, start.speakers);
    this.undoing = new Undoing(outbox, this.model);
    this.isOver = false;
  }

  refresh() {
    this.model.derive();
    this.dispatchEvent(new Event("shown"));
  }

  go(segment, offset = 0) {
    this.dispatchEvent(new CustomEvent("went", { detail: { segment, offset } }));
  }

  edit(kind, body) {
    if (this.isOver) return;
    const before = this.model.draft;
    this.outbox.hurry();
    const change = this.outbox.add(kind, body, this.model.base);
    this.model.derive();
    this.undoing.remember(change, before, this.model.draft);
    this.dispatchEvent(new Event("shown"));
  }

  /** What stands in a segment's field now. Text that is back as it was is no change. */
  type(id, text, { byUndo = false } = {}) {
    const segment = this.model.get(id);
    if (!segment || squeezed(segment.text) === squeezed(text) || this.isOver) return;
    if ((byUndo || this.isTyping(id)) && this.undoing.wouldBring(id, text)) {
      this.undoing.undo();
    } else {
      const change = this.outbox.type(id, text, this.model.base);
      this.undoing.rememberText(change, segment);
      this.model.draft.put({ ...segment, text, checked: true });
    }
    this.dispatchEvent(new CustomEvent("typed", { detail: { segment: this.model.get(id) } }));
  }

  /** Something typed there waits to be sent: the field's own undo comes first. */
  isTyping(id) {
    return this.outbox.typing(id) !== null;
  }

  /** `text` is what stands in the field, in which the caret is before character `at`. */
  split(id, at, text) {
    const segment = this.model.get(id);
    if (!segment || !text.slice(0, at).trim() || !text.slice(at).trim()) return;
    if (segment.end - segment.start < 2 * SHORTEST) return;
    const made = newSegmentId();
    this.edit("split", { segment: id, at, text, made });
    this.go(made, 0);
  }

  /** With the one before it, which it becomes a part of. */
  mergeUp(id) {
    const place = this.model.place(id);
    if (place) this.merge(this.model.list[place - 1], this.model.list[place]);
  }

  mergeDown(id) {
    const place = this.model.place(id);
    if (place + 1 < this.model.list.length) this.merge(this.model.list[place], this.model.list[place + 1]);
  }

  merge(first, second) {
    const offset = first.text.trim().length;
    this.edit("merge", { segments: [first.id, second.id] });
    this.go(first.id, offset && second.text.trim() ? offset + 1 : offset);
  }

  remove(id) {
    const place = this.model.place(id);
    const next = this.model.list[place + 1] ?? this.model.list[place - 1];
    this.edit("delete", { segments: [id] });
    if (next) this.go(next.id);
  }

  /** An empty segment in the room after this one. */
  insertBelow(id) {
    const [here, next] = [this.model.get(id), this.model.list[this.model.place(id) + 1]];
    const from = here?.end ?? 0;
    const room = Math.max(from + SHORTEST, Math.min(from + INSERTED_SECONDS, next && next.start > from + SHORTEST ? next.start : Infinity));
    const end = this.start.duration ? Math.min(room, this.start.duration) : room;
    const start = Math.min(from, end - SHORTEST);
    const made = newSegmentId();
    this.edit("insert", { made, start: round(Math.max(0, start)), end: round(end), text: "", speaker: here?.speaker ?? null });
    this.go(made);
  }

  /** Moves where a segment begins or ends; a neighbour that it touches there goes along. */
  moveBoundary(id, edge, seconds) {
    const segment = this.model.get(id);
    const place = this.model.place(id);
    const isStart = edge === "start";
    const near = this.model.list[isStart ? place - 1 : place + 1];
    const shares = near && Math.abs(isStart ? near.end - segment.start : near.start - segment.end) < TOUCHING;
    const [low, high] = isStart
      ? [shares ? near.start + SHORTEST : 0, segment.end - SHORTEST]
      : [segment.start + SHORTEST, shares ? near.end - SHORTEST : this.start.duration || Infinity];
    const to = round(Math.min(Math.max(seconds, low), high));
    if (low > high || to === segment[edge]) return;
    const own = { id, start: segment.start, end: segment.end, [edge]: to };
    const other = shares && { id: near.id, start: near.start, end: near.end, [isStart ? "end" : "start"]: to };
    this.#move(other ? [own, other] : [own]);
  }

  /** A tenth of a second earlier (-1) or later (1). */
  nudge(id, edge, direction) {
    this.moveBoundary(id, edge, this.model.get(id)[edge] + direction * NUDGE_SECONDS);
  }

  #move(times) {
    if (this.isOver) return;
    const before = this.model.draft;
    const change = this.outbox.move(times, this.model.base);
    this.model.derive();
    this.undoing.rememberMove(change, before, this.model.draft);
    this.dispatchEvent(new Event("shown"));
  }

  setSpeaker(id, speaker) {
    if (this.model.get(id)?.speaker !== speaker) this.edit("speaker", { segments: [id], speaker });
  }

  /** {rename}, {colour} or {merge}, as the server takes them. */
  changeSpeakers(what) {
    this.edit("speakers", { what });
  }

  accept(id) {
    this.edit("check", { segments: [id], checked: true });
  }

  /** `hits` are those of the preview that stay. */
  replace(what, hits) {
    const texts = hits.map(({ id, after }) => [id, after]);
    this.edit("replace", { what, segments: hits.map(({ id }) => id), texts });
  }

  undo() {
    return this.#goBack(this.undoing.undo());
  }

  redo() {
    return this.#goBack(this.undoing.redo());
  }

  #goBack(done) {
    if (!done || this.isOver) return false;
    this.dispatchEvent(new Event("shown"));
    if (done.segment !== null) this.go(done.segment, Infinity);
    return true;
  }

  /** The first segment after this one that may be wrong, and from the beginning after the last. */
  nextDoubt(id) {
    const { list } = this.model;
    const from = id === null ? 0 : (this.model.place(id) ?? -1) + 1;
    const isOpen = ({ suspect, checked }) => suspect && !checked;
    const found = list.slice(from).find(isOpen) ?? list.slice(0, from).find(isOpen);
    if (found) this.go(found.id);
    return Boolean(found);
  }

  /** The segments that a change is about, as they are shown. */
  shownOf(change) {
    return touched(change).map(this.model.get).filter(Boolean);
  }
}
