// Find and replace: hits on the page as one types, and a look at every change before they are made as one.

import { field, setHidden, setText, stamp } from "../dom.js";
import { clock } from "../format.js";
import { text } from "../texts.js";
import { ask } from "./asking.js";
import { select } from "./caret.js";

const escaped = (words) => words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** What the server looks for, as an expression; null for nothing. */
export function expression({ find, match_case: matchCase, whole_words: wholeWords }) {
  if (!find) return null;
  const body = wholeWords ? `(?<![\\p{L}\\p{N}_])${escaped(find)}(?![\\p{L}\\p{N}_])` : escaped(find);
  return new RegExp(body, matchCase ? "gu" : "giu");
}

export class Replacing {
  #dialog;
  #editor;
  #rows;
  #url;
  #hits = [];
  #asked = null;
  #turn = 0;

  constructor(dialog, editor, rows, url) {
    [this.#dialog, this.#editor, this.#rows, this.#url] = [dialog, editor, rows, url];
    this.form = dialog.querySelector("form");
    [this.list, this.told, this.apply] = ["hits", "told", "apply"].map((name) => field(dialog, name));
    this.form.addEventListener("input", ({ target }) => this.list.contains(target) || this.#count());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#preview();
    });
    field(dialog, "next").addEventListener("click", () => this.#step(1));
    field(dialog, "previous").addEventListener("click", () => this.#step(-1));
    field(dialog, "close").addEventListener("click", () => dialog.close());
    this.apply.addEventListener("click", () => this.#replace());
    this.list.addEventListener("change", () => this.#showApply());
    dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      dialog.close();
    });
  }

  open() {
    const chosen = String(getSelection()).trim();
    this.place = this.#editor.model.place(this.#rows.rowOf(document.activeElement)?.id) ?? -1;
    if (!this.#dialog.open) this.#dialog.show();
    if (chosen && chosen.length < 100) this.form.find.value = chosen;
    this.form.find.focus();
    this.form.find.select();
    this.#count();
  }

  get #what() {
    const { find, replace, match_case: matchCase, whole_words: wholeWords } = this.form;
    return { find: find.value, replace: replace.value, match_case: matchCase.checked, whole_words: wholeWords.checked };
  }

  #found() {
    const wanted = expression(this.#what);
    return wanted ? this.#editor.model.list.filter((one) => one.text.search(wanted) >= 0) : [];
  }

  #count() {
    this.#clear();
    const count = this.#found().length;
    setText(this.told, this.form.find.value ? text("edit_found", { n: count }) : "");
  }

  #step(by) {
    const wanted = expression(this.#what);
    const { list } = this.#editor.model;
    for (let step = 1; wanted && step <= list.length; step += 1) {
      const place = (this.place + by * step + list.length * 2) % list.length;
      wanted.lastIndex = 0;
      const hit = wanted.exec(list[place].text);
      if (!hit) continue;
      this.place = place;
      const row = this.#rows.bring(list[place].id);
      row.element.scrollIntoView({ block: "center" });
      select(row.said, hit.index, hit.index + hit[0].length);
      return;
    }
  }

  #clear() {
    this.#hits = [];
    this.list.replaceChildren();
    setHidden(this.apply, true);
    this.#turn += 1;
  }

  /** The server looks, since its text counts: so what is typed here has to be there first. */
  async #preview() {
    this.#clear();
    const turn = this.#turn;
    this.#asked = this.#what;
    if (!this.#asked.find) return setText(this.told, text("edit_find_what"));
    setText(this.told, text("edit_looking"));
    if (!(await this.#editor.saved())) return setText(this.told, text("edit_look_later"));
    const { status, body } = await ask("POST", this.#url, { ...this.#asked, segments: null });
    if (turn !== this.#turn) return undefined;
    if (status !== 200) return setText(this.told, body?.message ?? body?.error ?? text("unreachable"));
    this.#hits = body.matches;
    this.list.replaceChildren(...body.matches.map((hit, place) => this.#line(hit, place)));
    setText(this.told, text(body.more ? "edit_more_hits" : "edit_hits", { n: body.matches.length, count: body.count }));
    return this.#showApply();
  }

  #line(hit, place) {
    const line = stamp("hit");
    const [tick, time, before, after] = ["tick", "time", "before", "after"].map((name) => field(line, name));
    tick.value = place;
    setText(time, clock(hit.start));
    setText(before, hit.before);
    setText(after, hit.after);
    return line;
  }

  #chosen = () => [...this.list.querySelectorAll("input:checked")].map(({ value }) => this.#hits[Number(value)]);

  #showApply() {
    const { length } = this.#chosen();
    setHidden(this.apply, !this.#hits.length);
    this.apply.disabled = !length;
    setText(this.apply, text("edit_replace_n", { n: length }));
  }

  #replace() {
    const chosen = this.#chosen();
    this.#editor.replace(this.#asked, chosen);
    this.#clear();
    setText(this.told, text("edit_replaced", { n: chosen.length }));
  }
}
