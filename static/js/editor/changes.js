// A change to the transcript as this page keeps it until the server has answered: what it touches, what it asks for, and
// what the transcript looks like with it. Pure; `Draft` below is the only thing that is written to.

import { timeAt } from "./words.js";

/** A name for something new. `crypto.randomUUID` is missing where a server is reached without TLS. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The id of a segment that the server does not know yet. */
export const madeHere = (id) => typeof id === "string";
export const newSegmentId = () => `here-${newId()}`;

/** The ids of the segments that a change touches and that must be as it saw them. */
export function touched({ kind, body }) {
  if (kind === "text" || kind === "split") return [body.segment];
  if (kind === "times") return body.times.map(({ id }) => id);
  return body.segments ?? [];
}

/** The same, with those that it makes. */
export const involved = (change) => [...touched(change), ...(change.body.made ? [change.body.made] : []), ...(change.body.back?.ids ?? [])];

/** The server counts characters as people do, not the halves that some of them have here. */
const characters = (text, offset) => [...text.slice(0, offset)].length;

/** What is sent: the revisions that the change was made on stand beside the ids. */
export function requestOf(change) {
  const { kind, body, was } = change;
  const one = (id) => ({ id, revision: was[id]?.revision });
  const ids = () => body.segments.map(one);
  const rest = {
    text: () => ({ segment: one(body.segment), text: body.text }),
    split: () => ({ segment: one(body.segment), at: characters(body.text, body.at), text: body.text }),
    merge: () => ({ segments: ids() }),
    insert: () => ({ start: body.start, end: body.end, text: body.text, speaker: body.speaker }),
    delete: () => ({ segments: ids() }),
    times: () => ({ segments: body.times.map(({ id, start, end }) => ({ ...one(id), start, end })) }),
    speaker: () => ({ segments: ids(), speaker: body.speaker }),
    speakers: () => body.what,
    replace: () => ({ ...body.what, segments: ids() }),
    check: () => ({ segments: ids(), checked: body.checked }),
    undo: () => ({ number: body.number }),
  };
  return { request_id: change.request, kind, ...rest[kind]() };
}

/** The segments and speakers with changes on top that the server has not answered yet. */
export class Draft {
  constructor(segments, speakers) {
    this.list = segments.slice();
    this.speakers = speakers;
    this.places = new Map(this.list.map(({ id }, place) => [id, place]));
  }

  get(id) {
    return this.list[this.places.get(id)];
  }

  put(segment) {
    const place = this.places.get(segment.id);
    if (place === undefined) this.list.push(segment);
    else this.list[place] = segment;
    const moved = place === undefined || !inOrder(this.list, place);
    if (moved) this.#sort();
  }

  remove(ids) {
    const gone = new Set(ids);
    this.list = this.list.filter(({ id }) => !gone.has(id));
    this.#index();
  }

  #sort() {
    this.list.sort(byTime);
    this.#index();
  }

  #index() {
    this.places = new Map(this.list.map(({ id }, place) => [id, place]));
  }
}

/** In order of time; of those that begin together the server's own come in the order of their ids, then those made here. */
export function byTime(a, b) {
  if (a.start !== b.start) return a.start - b.start;
  if (madeHere(a.id) || madeHere(b.id)) return Number(madeHere(a.id)) - Number(madeHere(b.id));
  return a.id - b.id;
}

const inOrder = (list, place) =>
  (place === 0 || byTime(list[place - 1], list[place]) <= 0) && (place + 1 >= list.length || byTime(list[place], list[place + 1]) <= 0);

const APPLY = {
  text(draft, { segment, text }) {
    const before = draft.get(segment);
    if (before) draft.put({ ...before, text, checked: true });
  },
  split(draft, { segment, at, text, made }) {
    const before = draft.get(segment);
    if (!before) return;
    const whole = { ...before, text };
    const checked = before.checked || text !== before.text;
    const time = Math.min(Math.max(timeAt(whole, at), before.start), before.end);
    draft.put({ ...whole, end: time, text: text.slice(0, at).trimEnd(), words: before.words.filter(({ start }) => start < time), checked });
    const second = { ...whole, id: made, revision: null, start: time, text: text.slice(at).trimStart(), checked };
    draft.put({ ...second, words: before.words.filter(({ start }) => start >= time) });
  },
  merge(draft, { segments }) {
    const found = segments.map((id) => draft.get(id)).filter(Boolean).sort(byTime);
    if (found.length < 2) return;
    const [first, ...others] = found;
    draft.remove(others.map(({ id }) => id));
    draft.put({
      ...first,
      end: Math.max(...found.map(({ end }) => end)),
      text: found.map(({ text }) => text.trim()).filter(Boolean).join(" "),
      words: found.flatMap(({ words }) => words),
      checked: found.every(({ checked }) => checked),
    });
  },
  insert(draft, { made, start, end, text, speaker }) {
    draft.put({ id: made, revision: null, start, end, text, speaker, words: [], probability: null, suspect: null, checked: true });
  },
  delete: (draft, { segments }) => draft.remove(segments),
  times(draft, { times }) {
    for (const { id, start, end } of times) {
      const before = draft.get(id);
      if (before) draft.put({ ...before, start, end });
    }
  },
  speaker(draft, { segments, speaker }) {
    for (const id of segments) if (draft.get(id)) draft.put({ ...draft.get(id), speaker });
    const known = draft.speakers.some(({ label }) => label === speaker);
    if (speaker && !known) draft.speakers = [...draft.speakers, { label: speaker, name: null, seconds: 0 }];
  },
  speakers(draft, { what }) {
    const { rename = {}, colour = {}, merge } = what;
    draft.speakers = draft.speakers.map((one) => ({
      ...one,
      ...(one.label in rename ? { name: rename[one.label] || null } : {}),
      ...(one.label in colour ? { colour: colour[one.label] } : {}),
    }));
    if (!merge) return;
    draft.speakers = draft.speakers.filter(({ label }) => label === merge.into || !merge.from.includes(label));
    for (const one of draft.list.filter(({ speaker }) => merge.from.includes(speaker))) draft.put({ ...one, speaker: merge.into });
  },
  replace(draft, { texts }) {
    for (const [id, text] of texts) if (draft.get(id)) draft.put({ ...draft.get(id), text, checked: true });
  },
  check(draft, { segments, checked }) {
    for (const id of segments) if (draft.get(id)) draft.put({ ...draft.get(id), checked });
  },
  undo(draft, { back }) {
    if (!back) return;
    draft.remove(back.remove);
    for (const one of back.put) draft.put({ ...one, revision: draft.get(one.id)?.revision ?? null });
    if (back.speakers) draft.speakers = back.speakers;
  },
};

export const apply = (draft, { kind, body }) => APPLY[kind](draft, body);
