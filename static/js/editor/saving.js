// The line that says whether everything is saved, and what to do where it can't be.

import { setData, setHidden, setText } from "../dom.js";
import { text } from "../texts.js";

const HEARD_MS = 1500;
const TROUBLE = { not_ready: "edit_not_ready", other_user: "edit_other_user", denied: "denied", gone: "gone" };

export class Saving {
  #line;
  #heard;
  #signIn;
  #outbox;
  #later = 0;

  /** `heard` is what a screen reader is told: not every key, only what lasts. */
  constructor(line, heard, signIn, outbox) {
    [this.#line, this.#heard, this.#signIn, this.#outbox] = [line, heard, signIn, outbox];
  }

  show(state) {
    const waiting = this.#outbox.size;
    setHidden(this.#signIn, state !== "signed_out" && state !== "other_user");
    const [shown, sentence] = this.#told(state, waiting);
    setData(this.#line, "state", shown);
    setText(this.#line, sentence);
    clearTimeout(this.#later);
    this.#later = setTimeout(() => setText(this.#heard, sentence), HEARD_MS);
  }

  #told(state, waiting) {
    const kept = text(this.#outbox.keeps ? "edit_kept" : "edit_not_kept", { n: waiting });
    if (state === "signed_out") return ["lost", waiting ? `${text("edit_signed_out")} ${kept}` : text("edit_signed_out")];
    if (TROUBLE[state]) return ["lost", waiting ? `${text(TROUBLE[state])} ${kept}` : text(TROUBLE[state])];
    if (state === "lost" || !navigator.onLine) return ["lost", waiting ? kept : text("edit_lost")];
    const { held } = this.#outbox;
    if (held.length && !this.#outbox.free().length) return ["clash", text("edit_undecided", { n: held.length })];
    return waiting ? ["busy", text("edit_saving")] : ["saved", text("edit_saved")];
  }
}
