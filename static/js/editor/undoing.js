// Undo and redo of what was changed on this page. A change that was not sent yet is taken back here, any other one by the
// server; redo is the undo of an undo.

import { renamed } from "./outbox.js";
import { squeezed } from "./row.js";

export class Undoing {
  #outbox;
  #model;
  #numbers = new Map();
  #done = [];
  #undone = [];

  constructor(outbox, model) {
    [this.#outbox, this.#model] = [outbox, model];
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Remembers a change of a person's; `before` and `after` are the drafts around it. */
  remember(change, before, after) {
    this.#done.push(entryOf(change, before, after));
    this.#undone = [];
  }

  rememberText(change, segment) {
    if (this.#done.at(-1)?.request === change.request) return;
    this.#done.push({ ...shapeOf(change), put: [segment], remove: [], speakers: null });
    this.#undone = [];
  }

  /** One move of a boundary goes on while its change waits. */
  rememberMove(change, before, after) {
    if (this.#done.at(-1)?.request !== change.request) this.remember(change, before, after);
  }

  /** Whether undoing would bring exactly this text of this segment. */
  wouldBring(segment, text) {
    const last = this.#done.at(-1);
    return last?.kind === "text" && last.body.segment === segment && squeezed(last.put[0].text) === squeezed(text);
  }

  /** Returns the segment to look at, or null when there is nothing to undo. */
  undo() {
    return this.#move(this.#done, this.#undone);
  }

  redo() {
    return this.#move(this.#undone, this.#done);
  }

  answered(change, number) {
    this.#numbers.set(change.request, number);
  }

  renamed([made, real]) {
    this.#done = this.#done.map((entry) => renamed(entry, made, real));
    this.#undone = this.#undone.map((entry) => renamed(entry, made, real));
  }

  /** A change that was given up can't be undone. */
  forget(changes) {
    const gone = new Set(changes.map(({ request }) => request));
    const stays = ({ request }) => !gone.has(request);
    [this.#done, this.#undone] = [this.#done.filter(stays), this.#undone.filter(stays)];
  }

  #move(from, to) {
    const entry = from.pop();
    if (!entry) return null;
    const before = this.#model.draft;
    to.push(this.#takeBack(entry, before));
    return { segment: entry.put[0]?.id ?? entry.remove[0] ?? null };
  }

  #takeBack(entry, before) {
    const last = this.#outbox.list.at(-1);
    if (last?.request === entry.request && !last.tried) {
      this.#outbox.drop(last);
      this.#model.derive();
      return { ...entry, again: true };
    }
    const change = entry.again ? this.#outbox.add(entry.kind, entry.body, this.#model.base) : this.#inverse(entry);
    this.#model.derive();
    return entryOf(change, before, this.#model.draft);
  }

  #inverse({ request, put, remove, speakers }) {
    const ids = [...put.map(({ id }) => id), ...remove];
    const number = this.#numbers.get(request) ?? null;
    return this.#outbox.add("undo", { of: request, number, back: { put, remove, ids, speakers } }, this.#model.base);
  }
}

const shapeOf = ({ request, kind, body }) => ({ request, kind, body: structuredClone(body) });

/** What has to be put back and taken away to have the draft as it was. */
function entryOf(change, before, after) {
  const put = before.list.filter((one) => differs(one, after.get(one.id)));
  const remove = after.list.filter(({ id }) => !before.places.has(id)).map(({ id }) => id);
  return { ...shapeOf(change), put, remove, speakers: before.speakers === after.speakers ? null : before.speakers };
}

const differs = (one, other) => one !== other && (!other || ["text", "start", "end", "speaker", "checked"].some((name) => one[name] !== other[name]));
