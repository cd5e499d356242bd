// What a person has written in a segment that waits for a decision, in all the parts that it was split into since. Pure.

import { Draft, apply, touched } from "./changes.js";

const WRITING = new Set(["text", "split", "merge", "replace"]);

/** The segment that a change of words is about. */
export const rootOf = ({ body }) => body.segment ?? body.made;

/**
 * [{id, start, end, text, speaker, isWritten}] in order of time: the segment, and what was split off from it here.
 * `isWritten`: its words were changed after it was split off. `list` are all changes, `base` is what the server has.
 */
export function partsOf(change, list, base, speakers) {
  const root = rootOf(change);
  const later = list.slice(list.indexOf(change) + 1);
  const draft = new Draft(withRoot(change, root, base), speakers);
  for (const one of list) apply(draft, one);
  const ids = splitOff(root, [change, ...later]);
  const isWritten = (id) => later.some((one) => WRITING.has(one.kind) && touched(one).includes(id));
  const parts = draft.list.filter(({ id }) => ids.has(id));
  const all = draft.get(root) ? parts : [{ ...seen(change, root), text: lastText(change, later, root) }, ...parts];
  return all.map(({ id, start, end, text, speaker }) => ({ id, start, end, text, speaker, isWritten: isWritten(id) }));
}

/** The change with words that were altered when a person decided: `parts` also have `words`. */
export function rewritten(change, parts) {
  const { kind, body } = change;
  if (parts.length === 1 && kind === "text") return { ...body, text: parts[0].words };
  if (!parts.some(isAltered)) return body;
  if (kind === "text") return { ...body, text: joined(parts) };
  const place = parts.findIndex(({ id }) => id === body.made);
  const [head, tail] = [joined(parts.slice(0, Math.max(0, place))), joined(parts.slice(place))];
  return head && tail ? { ...body, text: `${head} ${tail}`, at: head.length + 1 } : body;
}

export const isAltered = ({ text, words }) => text !== words;

const joined = (parts) => parts.map(({ words }) => words.trim()).filter(Boolean).join(" ");

function splitOff(root, changes) {
  const ids = new Set([root]);
  for (const { kind, body } of changes) if (kind === "split" && ids.has(body.segment)) ids.add(body.made);
  return ids;
}

/** A segment that the server has no more is as it was when it was changed. */
function withRoot(change, root, base) {
  const isThere = change.kind === "insert" || base.some(({ id }) => id === root);
  return isThere ? base : [...base, seen(change, root)];
}

function seen(change, root) {
  const { start = 0, end = 1, speaker = null, text = "" } = change.was[root] ?? change.body;
  return { id: root, revision: null, start, end, speaker, text, words: [], checked: true };
}

function lastText(change, later, root) {
  const { body } = later.findLast(({ kind, body: { segment } }) => kind === "text" && segment === root) ?? change;
  return change.kind === "split" && body === change.body ? body.text.slice(0, body.at).trimEnd() : body.text;
}
