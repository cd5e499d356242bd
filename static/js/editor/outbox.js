// The changes that the server has not answered yet, in order. Every one is stored before it is sent and stays until it is
// answered. A change names the revisions that it was made on (`was`); where an earlier change of ours touches the same
// segment, that is filled in when the earlier one is answered.

import { apply, involved, newId, touched } from "./changes.js";

/** Typing is sent this long after the last key. */
const TYPING_MS = 800;
const SOON = 0;
/** Kinds of changes that leave the words as they are. */
const WORDLESS = new Set(["speaker", "check", "times"]);
const seenOf = ({ revision, text, speaker, start, end }) => ({ revision, text, speaker, start, end });

export class Outbox {
  #store;
  #scope;
  #tab;
  #seq = 0;
  #writes = Promise.resolve();
  list = [];
  /** Set when the browser could not store a change. */
  failed = false;

  constructor(store, scope, tab) {
    [this.#store, this.#scope, this.#tab] = [store, scope, tab];
  }

  /** Takes over what pages that are closed have left; `isOpen(tab)` tells which are not. Returns how many changes. */
  async adopt(isOpen) {
    const known = new Set(this.list.map(({ key }) => key));
    const rows = await this.#store.all(this.#scope);
    const left = rows.filter(({ key, tab }) => tab !== this.#tab && !known.has(key) && !isOpen(tab));
    const taken = left.map((change) => ({ ...change, tab: this.#tab, due: SOON }));
    this.list = [...this.list, ...taken].sort((a, b) => a.seq - b.seq);
    this.#keep(taken);
    return taken.length;
  }

  get size() {
    return this.list.length;
  }

  get keeps() {
    return this.#store.keeps && !this.failed;
  }

  /** When all that was changed is stored on this device. */
  stored() {
    return this.#writes;
  }

  add(kind, body, base, { due = SOON } = {}) {
    this.#seq = Math.max(this.#seq + 1, Date.now() * 1000);
    const change = { key: newId(), request: newId(), scope: this.#scope, tab: this.#tab, seq: this.#seq, kind, body, was: {}, due, tried: false };
    for (const id of touched(change)) change.was[id] = this.#isInvolved(id) || !base(id) ? null : seenOf(base(id));
    this.list.push(change);
    this.#keep([change]);
    return change;
  }

  /** Typing changes the last change of the segment while that can still be changed. Returns the change. */
  type(segment, text, base) {
    const due = Date.now() + TYPING_MS;
    const open = this.typing(segment);
    if (!open) return this.add("text", { segment, text }, base, { due });
    Object.assign(open, { body: { segment, text }, due });
    this.#keep([open]);
    return open;
  }

  /** Moves of the same boundaries are one change while they wait. */
  move(times, base) {
    const last = this.list.at(-1);
    const same = last?.kind === "times" && !last.tried && !last.held && String(touched(last)) === String(times.map(({ id }) => id));
    if (!same) return this.add("times", { times }, base, { due: Date.now() + TYPING_MS });
    Object.assign(last, { body: { times }, due: Date.now() + TYPING_MS });
    this.#keep([last]);
    return last;
  }

  /** The change that holds what is being typed in a segment and was not sent yet. */
  typing(segment) {
    const last = this.list.findLast((change) => involved(change).includes(segment));
    return last?.kind === "text" && !last.tried && !last.held ? last : null;
  }

  /** Nothing waits for the next key any more. */
  hurry() {
    for (const change of this.list) change.due = SOON;
  }

  /** The next change to send, and else when there will be one: {change} or {at}. */
  next(now = Date.now()) {
    let at = Infinity;
    for (const change of this.free()) {
      if (change.due <= now) return { change };
      at = Math.min(at, change.due);
    }
    return { at };
  }

  /** Changes in order without those that wait for a person to decide, and without what builds on those. */
  free() {
    const blocked = new Set();
    return this.list.filter((change) => {
      const ids = involved(change);
      const isFree = !change.held && !ids.some((id) => blocked.has(id));
      if (!isFree) for (const id of ids) blocked.add(id);
      return isFree;
    });
  }

  get held() {
    return this.list.filter(({ held }) => held);
  }

  applyTo(draft) {
    for (const change of this.free()) apply(draft, change);
  }

  /** From now on the server may have it: it can't be changed any more. */
  async send(change) {
    change.tried = true;
    this.#keep([change]);
    await this.#writes;
  }

  hold(change, held) {
    change.held = held;
    change.tried = false;
    this.#keep([change]);
  }

  /** Made on what the server has now. */
  rebase(change, segments, body = change.body) {
    Object.assign(change, { body, held: undefined, tried: false, due: SOON, request: newId() });
    for (const one of segments) change.was[one.id] = seenOf(one);
    this.#keep([change]);
  }

  /** The server has made it: what builds on it learns the ids and revisions. Returns the new id of what it had made. */
  settle(change, { number, segments }) {
    this.list = this.list.filter((one) => one !== change);
    const made = change.body.made;
    const real = made && segments.find(({ id }) => !touched(change).includes(id))?.id;
    if (real) for (const one of this.list) rename(one, made, real);
    for (const later of this.list) {
      for (const segment of segments) if (touched(later).includes(segment.id)) later.was[segment.id] = seenOf(segment);
      if (later.body.of === change.request) later.body.number = number;
    }
    this.#keep(this.list, [change]);
    return real ? [made, real] : null;
  }

  /** Takes a change out with all that builds on it; returns what was taken out. */
  drop(change) {
    const gone = new Set([change, ...this.dependents(change)]);
    const made = new Set([...gone].map(({ body }) => body.made).filter(Boolean));
    const isUndone = ({ request }) => [...gone].some(({ body }) => body.of === request);
    const narrowed = [...gone].filter((one) => !isUndone(one)).map((one) => without(one, made)).filter(Boolean);
    const stays = new Map(narrowed.map((one) => [one.key, one]));
    this.list = this.list.map((one) => stays.get(one.key) ?? one).filter((one) => !gone.has(one));
    const out = [...gone].filter(({ key }) => !stays.has(key));
    this.#keep(narrowed, out);
    return out;
  }

  /** What can't be without a change: what works on the segment that it makes, or takes it back. */
  dependents(change) {
    const found = [];
    const requests = new Set([change.request]);
    const made = new Set(change.body.made ? [change.body.made] : []);
    for (const later of this.#after(change)) {
      if (!requests.has(later.body.of) && !involved(later).some((id) => made.has(id))) continue;
      found.push(later);
      requests.add(later.request);
      if (later.body.made) made.add(later.body.made);
    }
    return found;
  }

  /** Later changes of the text of its segment, until something else works on its words. */
  retyped(change) {
    const { segment } = change.body;
    const later = this.#after(change).filter((one) => involved(one).includes(segment));
    const end = later.findIndex(({ kind }) => !WORDLESS.has(kind) && kind !== "text");
    return later.slice(0, end < 0 ? later.length : end).filter(({ kind }) => kind === "text");
  }

  /** Later changes that write in a segment or split it. */
  written(change, segment) {
    return this.#after(change).filter(({ kind, body }) => (kind === "text" || kind === "split") && body.segment === segment);
  }

  #after(change) {
    return this.list.slice(this.list.indexOf(change) + 1);
  }

  #isInvolved(id) {
    return this.list.some((change) => involved(change).includes(id));
  }

  #keep(changed, removed = []) {
    const rows = changed.map((change) => structuredClone(change));
    this.#writes = this.#writes.then(() => this.#store.write(rows, removed)).catch(() => {
      this.failed = true;
    });
  }
}

/** What is left of a replacement when some segments are no more; null where nothing is, and for other kinds. */
function without(change, ids) {
  if (change.kind !== "replace") return null;
  const { segments, texts } = change.body;
  const left = segments.filter((id) => !ids.has(id));
  return left.length ? { ...change, body: { ...change.body, segments: left, texts: texts.filter(([id]) => !ids.has(id)) } } : null;
}

/** The same with the id that the server gave to a segment which was made here. */
export function renamed(value, made, real) {
  return JSON.parse(JSON.stringify(value).replaceAll(`"${made}"`, String(real)));
}

function rename(change, made, real) {
  const { [made]: was, ...others } = change.was;
  change.was = was === undefined ? others : { ...others, [real]: was };
  change.body = renamed(change.body, made, real);
}
