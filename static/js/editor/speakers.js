// Who speaks: the menu of one segment, and the panel in which speakers get names and colours and become one.

import { field, setHidden, setText, stamp } from "../dom.js";
import { text } from "../texts.js";
import { COLOURS } from "../voices.js";

/** More than these are found by typing a part of their name. */
const FILTER_FROM = 9;

const button = (words, className = "") => Object.assign(document.createElement("button"), { type: "button", textContent: words, className });

/** The menu that a segment's speaker is chosen from. */
export class SpeakerMenu {
  #menu;
  #editor;
  #row = null;

  constructor(menu, editor) {
    [this.#menu, this.#editor] = [menu, editor];
    this.filter = menu.querySelector("input");
    this.list = menu.querySelector(".options");
    this.filter.addEventListener("input", () => this.#fill());
    menu.addEventListener("keydown", (event) => this.#key(event));
    menu.addEventListener("toggle", ({ newState }) => {
      if (newState === "closed") this.#closed();
    });
  }

  open(row) {
    this.#row = row;
    this.filter.value = "";
    setHidden(this.filter.closest(".field"), this.#editor.model.speakers.length <= FILTER_FROM);
    this.#fill();
    this.#menu.showPopover();
    const [near, own] = [row.who.getBoundingClientRect(), this.#menu.getBoundingClientRect()];
    this.#menu.style.left = `${Math.max(8, Math.min(near.left, innerWidth - own.width - 8))}px`;
    this.#menu.style.top = `${Math.max(8, Math.min(near.bottom + 4, innerHeight - own.height - 8))}px`;
    this.#options()[0]?.focus();
  }

  #options = () => [...this.list.querySelectorAll("button")];

  #fill() {
    const wanted = this.filter.value.trim().toLocaleLowerCase();
    const { model } = this.#editor;
    const known = model.speakers.map(({ label }) => model.speaker(label));
    const found = known.filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
    this.list.replaceChildren(
      ...found.map((one, place) => this.#option(one, place)),
      this.#option({ label: model.newLabel(), name: text("edit_new_speaker") }),
      this.#option({ label: null, name: text("speaker_none") }),
    );
  }

  #option({ label, name, voice }, place = null) {
    const option = button("", "option");
    option.setAttribute("role", "menuitemradio");
    option.setAttribute("aria-checked", String((this.#row.segment.speaker ?? null) === label));
    option.append(Object.assign(document.createElement("span"), { className: "voice-dot" }), Object.assign(document.createElement("span"), { textContent: name, dir: "auto" }));
    if (voice !== undefined) option.dataset.voice = voice;
    if (place !== null && place < 9) option.append(Object.assign(document.createElement("kbd"), { textContent: place + 1 }));
    option.addEventListener("click", () => this.#choose(label));
    return option;
  }

  #choose(label) {
    const { id } = this.#row;
    this.#menu.hidePopover();
    this.#editor.setSpeaker(id, label);
  }

  #key(event) {
    const options = this.#options();
    const here = options.indexOf(document.activeElement);
    const isFilter = event.target === this.filter;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) options[(here + step + options.length) % options.length]?.focus();
    else if (event.key === "Home" && !isFilter) options[0]?.focus();
    else if (event.key === "End" && !isFilter) options.at(-1)?.focus();
    else if (/^[1-9]$/.test(event.key) && !isFilter) options[Number(event.key) - 1]?.click();
    else if (event.key === "Enter" && isFilter) options[0]?.click();
    else return;
    event.preventDefault();
  }

  #closed() {
    const row = this.#row;
    this.#row = null;
    if (row && (document.activeElement === document.body || this.#menu.contains(document.activeElement))) row.said.focus({ preventScroll: true });
  }
}

/** The panel of all speakers. */
export class SpeakerPanel {
  #root;
  #editor;
  #shown = "";

  constructor(root, editor) {
    [this.#root, this.#editor] = [root, editor];
    [this.list, this.into, this.join] = ["list", "into", "join"].map((name) => field(root, name));
    this.join.addEventListener("click", () => this.#merge());
    this.list.addEventListener("change", () => this.#showMerging());
    this.show();
  }

  show() {
    const { speakers } = this.#editor.model;
    const now = JSON.stringify(speakers.map(({ label, name, colour }) => [label, name, colour]));
    if (now === this.#shown || this.list.contains(document.activeElement)) return this.#showMerging();
    this.#shown = now;
    const known = speakers.map(({ label }) => this.#editor.model.speaker(label));
    this.list.replaceChildren(...known.map((one) => this.#line(one)));
    this.into.replaceChildren(...known.map(({ label, name }) => new Option(name, label)));
    setHidden(field(this.#root, "none"), known.length > 0);
    setHidden(field(this.#root, "merging"), known.length < 2);
    return this.#showMerging();
  }

  #line(one) {
    const line = stamp("speaker-line");
    const [tick, name, swatch] = ["tick", "name", "swatch"].map((part) => field(line, part));
    tick.value = one.label;
    tick.setAttribute("aria-label", text("edit_choose_speaker", { speaker: one.name }));
    name.value = this.#editor.model.speakers.find(({ label }) => label === one.label).name ?? "";
    name.placeholder = one.name;
    name.setAttribute("aria-label", text("edit_name_of", { speaker: one.name }));
    name.addEventListener("change", () => this.#editor.changeSpeakers({ rename: { [one.label]: name.value.trim() } }));
    name.addEventListener("keydown", ({ key }) => key === "Enter" && name.blur());
    name.addEventListener("blur", () => queueMicrotask(() => this.show()));
    swatch.dataset.voice = one.voice;
    swatch.setAttribute("aria-label", text("edit_colour_of", { speaker: one.name, n: one.voice + 1 }));
    swatch.addEventListener("click", () => this.#nextVoice(one.label, swatch));
    return line;
  }

  #nextVoice(label, swatch) {
    const voice = (this.#editor.model.speaker(label).voice + 1) % COLOURS;
    this.#editor.changeSpeakers({ colour: { [label]: voice } });
    swatch.dataset.voice = voice;
    swatch.setAttribute("aria-label", text("edit_colour_of", { speaker: this.#editor.model.speaker(label).name, n: voice + 1 }));
  }

  #ticked = () => [...this.list.querySelectorAll("input[type=checkbox]:checked")].map(({ value }) => value);

  #showMerging() {
    const from = this.#ticked().filter((label) => label !== this.into.value);
    this.join.disabled = !from.length;
    setText(field(this.#root, "count"), text("edit_chosen", { n: this.#ticked().length }));
  }

  #merge() {
    const from = this.#ticked().filter((label) => label !== this.into.value);
    if (from.length) this.#editor.changeSpeakers({ merge: { from, into: this.into.value } });
  }
}
