// The sheet in which a note is written. What is typed is kept in this tab until it is saved or given up.

import { clock } from "../format.js";
import { field, setHidden, setText } from "../dom.js";
import { label, text } from "../texts.js";

export class Writing {
  #dialog;
  #form;
  #notes;
  #draftName;
  #about = null;
  #isSending = false;

  /** `onSaved(note)`, `onDelete(id)`. */
  constructor(dialog, notes, draftName, { onSaved, onDelete }) {
    Object.assign(this, { onSaved, onDelete });
    this.#dialog = dialog;
    this.#form = dialog.querySelector("form");
    this.#notes = notes;
    this.#draftName = draftName;
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#form.addEventListener("input", () => this.#keep());
    // Escape gives up as “Cancel” does.
    dialog.addEventListener("cancel", () => this.#forget());
    dialog.querySelector('[data-act="cancel"]').addEventListener("click", () => this.#close());
    dialog.querySelector('[data-act="delete"]').addEventListener("click", () => this.#delete());
  }

  /** A note that is there ({id, …}), or a new one at {start, end}. */
  open(about) {
    this.#about = { id: null, quote: "", text: "", ...about };
    const { id, start, quote, colour } = this.#about;
    setText(field(this.#dialog, "title"), text(id ? "note_edit" : "note_new", { time: clock(start) }));
    setText(field(this.#dialog, "quote"), quote);
    setHidden(field(this.#dialog, "quote"), !quote);
    setHidden(this.#dialog.querySelector('[data-act="delete"]'), !id);
    this.#form.elements.text.value = this.#about.text;
    const chosen = this.#form.querySelector(`[name="colour"][value="${CSS.escape(colour)}"]`) ?? this.#form.querySelector('[name="colour"]');
    chosen.checked = true;
    this.#say("");
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#form.elements.text.focus();
  }

  /** Opens what was typed and not saved; false where there is nothing. */
  resume() {
    try {
      const draft = JSON.parse(sessionStorage.getItem(this.#draftName));
      if (!Number.isFinite(draft?.start)) return false;
      this.open(draft);
      return true;
    } catch {
      return false;
    }
  }

  async #submit(event) {
    event.preventDefault();
    if (this.#isSending) return;
    const { id, start, end, changed_at: seen } = this.#about;
    const fields = this.#typed();
    if (!id && !fields.text) return this.#close();
    this.#isSending = true;
    try {
      const note = await (id ? this.#notes.change(id, { ...fields, changed_at: seen }) : this.#notes.add({ start, end, ...fields }));
      this.#close();
      this.onSaved(note);
    } catch (error) {
      await this.#refused(error);
    } finally {
      this.#isSending = false;
    }
    return undefined;
  }

  /** What somebody else has written meanwhile is shown beside one's own; to save again replaces it. */
  async #refused(error) {
    if (error.code !== "note_changed") return this.#say(error.message);
    await this.#notes.reread();
    const now = this.#notes.find(this.#about.id);
    if (now) this.#about = { ...this.#about, changed_at: now.changed_at };
    return this.#say(now ? text("note_changed", { text: now.text || label("note_colour", now.colour) }) : error.message);
  }

  #typed() {
    const told = new FormData(this.#form);
    return { text: told.get("text").trim(), colour: told.get("colour") };
  }

  #keep() {
    try {
      sessionStorage.setItem(this.#draftName, JSON.stringify({ ...this.#about, ...this.#typed() }));
    } catch {
      // Full, or not allowed.
    }
  }

  #forget() {
    try {
      sessionStorage.removeItem(this.#draftName);
    } catch {
      // Not allowed, and so nothing is there.
    }
  }

  #close() {
    this.#forget();
    this.#dialog.close();
  }

  #delete() {
    const { id } = this.#about;
    this.#close();
    this.onDelete(id);
  }

  #say(sentence) {
    setText(field(this.#dialog, "error"), sentence);
  }
}
