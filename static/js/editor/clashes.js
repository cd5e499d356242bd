// Two versions of one segment, side by side: theirs, and mine with all its parts. Both can be changed before one is chosen.

import { field, setHidden, setText, stamp } from "../dom.js";
import { text } from "../texts.js";
import { partsOf } from "./mine.js";

export class Clashes {
  #editor;
  #answers;
  #rows;
  #orphans;
  #boxes = new Map();

  /** `orphans` is where those are shown whose segment is gone. */
  constructor(editor, answers, rows, orphans) {
    [this.#editor, this.#answers, this.#rows, this.#orphans] = [editor, answers, rows, orphans];
  }

  show() {
    const { held } = this.#editor.outbox;
    const wanted = new Set(held.map(({ key }) => key));
    for (const [key, box] of this.#boxes) {
      if (wanted.has(key)) continue;
      box.remove();
      this.#boxes.delete(key);
    }
    for (const row of this.#rows.shown) row.showClash(null);
    for (const change of held) this.#place(change);
    setHidden(this.#orphans, !this.#orphans.children.length);
  }

  #place(change) {
    const box = this.#boxes.get(change.key) ?? this.#draw(change);
    this.#showTheirs(change, box);
    const row = this.#rows.row(change.body.segment);
    const isThere = Boolean(this.#editor.model.get(change.body.segment));
    if (row) row.showClash(box);
    else if (!isThere && box.parentElement !== this.#orphans) this.#orphans.append(box);
  }

  #draw(change) {
    const box = stamp("clash");
    const { model, outbox } = this.#editor;
    const drawn = partsOf(change, outbox.list, model.all, model.speakers).map((part, place) => partOf(part, place));
    field(box, "mine").append(...drawn.map(({ element }) => element));
    const mine = () => drawn.map(({ part, words }) => ({ ...part, words: words.value }));
    const apart = () => mine().filter((part, place) => drawn[place].apart.checked && part.words.trim());
    field(box, "keep-mine").addEventListener("click", () => this.#answers.keepMine(change, mine()));
    field(box, "take-theirs").addEventListener("click", () => {
      const theirs = model.base(change.body.segment);
      const words = field(box, "theirs").value;
      this.#answers.takeTheirs(change, theirs && words !== theirs.text ? words : null, theirs ? apart() : []);
    });
    this.#boxes.set(change.key, box);
    return box;
  }

  /** Theirs may become known, change again or go while the box is open. What was altered in it stays. */
  #showTheirs(change, box) {
    const theirs = this.#editor.model.base(change.body.segment);
    const words = field(box, "theirs");
    if (words.value === words.defaultValue) words.value = theirs?.text ?? "";
    words.defaultValue = theirs?.text ?? "";
    setText(field(box, "why"), change.held.sentence ?? text(theirs ? "edit_clash" : "edit_clash_gone"));
    setText(field(box, "take-theirs"), text(theirs ? "edit_take_theirs" : "edit_leave_it"));
    setHidden(words.closest(".field"), !theirs);
    for (const apart of box.querySelectorAll('[data-field="apart"]')) setHidden(apart.closest("label"), !theirs);
  }
}

/** One part of mine. Those after the first may be kept beside theirs, and are where something was written in them. */
function partOf(part, place) {
  const element = stamp("clash-part");
  const [name, words, apart] = ["name", "words", "apart"].map((one) => field(element, one));
  words.value = part.text;
  if (place) setText(name, text("edit_mine_part", { n: place + 1 }));
  else apart.closest("label").remove();
  apart.checked = place > 0 && part.isWritten;
  return { part, element, words, apart };
}
