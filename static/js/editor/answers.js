// What becomes of a change when the server has answered: made, in conflict with somebody else's, or refused.

import { text } from "../texts.js";
import { newSegmentId } from "./changes.js";
import { SHORTEST } from "./editor.js";
import { isAltered, rewritten, rootOf } from "./mine.js";

const same = (one, other) => one && other && one.text === other.text;

export class Answers {
  #editor;
  #outbox;
  #on;
  #decide = {
    text: this.#text,
    split: this.#split,
    merge: this.#merge,
    delete: this.#delete,
    speaker: this.#speaker,
    times: this.#times,
    check: this.#check,
    replace: this.#replace,
  };

  /** `on`: renamed([from, to]), notice(sentence). */
  constructor(editor, on) {
    [this.#editor, this.#outbox, this.#on] = [editor, editor.outbox, on];
  }

  answered(change, { correction }) {
    const pair = this.#outbox.settle(change, correction);
    this.#editor.undoing.answered(change, correction.number);
    if (pair) {
      this.#editor.undoing.renamed(pair);
      this.#on.renamed(pair);
    }
    this.#take(correction);
    this.#editor.refresh();
  }

  /** Others' corrections and our own, in order. */
  corrections(list) {
    for (const one of list) this.#take(one);
    this.#editor.refresh();
  }

  #take({ segments, removed, speakers }) {
    this.#editor.model.take(segments, removed, speakers);
  }

  /** Somebody was faster. What does not meet their words goes on by itself; for the rest a person decides. */
  conflict(change, { segments = [], removed = [], error, message }) {
    this.#editor.model.take(segments, removed);
    const decide = this.#decide[change.kind] ?? this.#other;
    decide.call(this, change, segments, removed, error ?? message);
    this.#editor.refresh();
  }

  #text(change, [theirs], removed) {
    const was = change.was[change.body.segment];
    if (!removed.length && same(theirs, was)) this.#outbox.rebase(change, [theirs]);
    else if (!removed.length && theirs?.text === change.body.text) this.#giveUp(change);
    else this.#hold(change, theirs);
  }

  #split(change, [theirs], removed) {
    const was = change.was[change.body.segment];
    if (!removed.length && same(theirs, was)) this.#outbox.rebase(change, [theirs]);
    else this.#hold(change, theirs);
  }

  #merge(change, segments, removed) {
    if (!removed.length && segments.every((one) => same(one, change.was[one.id]))) this.#outbox.rebase(change, segments);
    else this.#giveUp(change, text("edit_merge_lost"));
  }

  #delete(change, segments, removed) {
    const left = change.body.segments.filter((id) => !removed.includes(id));
    if (left.length && segments.every((one) => same(one, change.was[one.id]))) this.#outbox.rebase(change, segments, { ...change.body, segments: left });
    else this.#giveUp(change, left.length ? text("edit_delete_lost") : "");
  }

  #speaker(change, segments, removed) {
    const left = change.body.segments.filter((id) => !removed.includes(id));
    if (left.length) this.#outbox.rebase(change, segments, { ...change.body, segments: left });
    else this.#giveUp(change);
  }

  #times(change, segments, removed) {
    const left = change.body.times.filter(({ id }) => !removed.includes(id));
    if (left.length) this.#outbox.rebase(change, segments, { times: left });
    else this.#giveUp(change);
  }

  #check(change) {
    this.#giveUp(change, text("edit_check_lost"));
  }

  #replace(change, segments, removed) {
    const lost = new Set([...removed, ...segments.filter((one) => !same(one, change.was[one.id])).map(({ id }) => id)]);
    const left = change.body.segments.filter((id) => !lost.has(id));
    const texts = change.body.texts.filter(([id]) => !lost.has(id));
    if (lost.size) this.#on.notice(text("edit_replace_lost", { n: lost.size }));
    if (left.length) this.#outbox.rebase(change, segments, { ...change.body, segments: left, texts });
    else this.#giveUp(change);
  }

  #other(change, _segments, _removed, sentence) {
    this.#giveUp(change, sentence || text("edit_undo_lost"));
  }

  #hold(change, theirs) {
    this.#outbox.hold(change, { theirs: theirs ?? null });
    this.#on.notice(text("edit_clash_heard"));
  }

  #giveUp(change, sentence = "") {
    this.#editor.undoing.forget(this.#outbox.drop(change));
    if (sentence) this.#on.notice(sentence);
  }

  /** The server does not take it. Words that somebody typed stay to be seen and changed. */
  refused(change, { error, message }) {
    const sentence = error ?? message ?? text("server_error");
    const words = change.kind === "text" || change.kind === "split" || change.kind === "insert";
    const typed = words && (change.body.text || this.#outbox.dependents(change).some(({ body }) => body.text));
    if (typed) this.#outbox.hold(change, { theirs: this.#editor.model.base(change.body.segment) ?? null, sentence });
    else this.#giveUp(change);
    this.#on.notice(sentence);
    this.#editor.refresh();
  }

  /**
   * A person's decision: mine goes over theirs. `parts` are those of `partsOf` with the `words` that they shall have.
   * A segment that is gone comes back as a new one.
   */
  keepMine(change, parts) {
    if (this.#editor.isOver) return;
    const theirs = this.#editor.model.base(change.body.segment);
    if (theirs) this.#goOver(change, theirs, parts);
    else this.#bringBack(change, parts);
    this.#editor.refresh();
  }

  /** What was done later to mine stays, with what was altered last in it. */
  #goOver(change, theirs, parts) {
    const later = parts.length === 1 && change.kind === "text" ? this.#outbox.retyped(change) : [];
    // Their words are stored before the changes that had them are let go: a page that is closed in between loses none.
    this.#outbox.rebase(change, [theirs], rewritten(change, parts));
    for (const one of later) this.#outbox.drop(one);
    this.#editor.refresh();
    for (const part of parts) if (isAltered(part)) this.#editor.type(part.id, part.words);
  }

  #bringBack(change, parts) {
    const [first, ...others] = parts;
    this.#insert(first, `here-${change.request}`);
    for (const part of others) if (part.words.trim()) this.#insert(part);
    this.#letGo(change);
  }

  #insert({ start, end, words, speaker }, made = newSegmentId()) {
    this.#editor.edit("insert", { made, start, end: Math.max(end, start + SHORTEST), text: words, speaker });
  }

  /** Theirs stays, with what was changed in it (`words`, else null); of mine those `parts` that become segments of their own. */
  takeTheirs(change, words, parts) {
    if (this.#editor.isOver) return;
    for (const part of parts) this.#insert(part);
    this.#letGo(change);
    this.#editor.refresh();
    if (words !== null) this.#editor.type(change.body.segment, words);
  }

  /** All that was written in the segment here. */
  #letGo(change) {
    const written = this.#outbox.written(change, rootOf(change));
    this.#editor.undoing.forget([...written, change].flatMap((one) => this.#outbox.drop(one)));
  }
}
