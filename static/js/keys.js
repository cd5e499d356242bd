// Keys of a page, and the sheet that lists them, which "?" opens.

import { text } from "./texts.js";

const bound = new Set();
const TYPED_IN =
  'textarea, select, [contenteditable]:not([contenteditable="false"]), input:not([type="range"], [type="checkbox"], [type="radio"], [type="button"], [type="submit"])';
const PRESSED = "button, summary, a[href], label, input, [role=button], [role=option], video[controls], audio[controls]";
const MOVED = 'input[type="range"], input[type="radio"], [role=listbox], [role=tablist], [role=slider], [role=separator]';
const SIGNS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };

/**
 * Binds keys until the function that it returns is called. A binding is {keys, name, run}: `keys` such as "k", "Shift+n",
 * "Mod+z" (Ctrl, or Cmd on a Mac), or several with spaces between them; `name` what they do, in the reader's language; `run`
 * is given the event. While something is typed into a field only those with `always: true` are heard.
 */
export function keys(bindings) {
  const told = bindings.map((binding) => ({ ...binding, chords: binding.keys.split(" ").map(normal) }));
  bound.add(told);
  return () => bound.delete(told);
}

/** What a player does by itself, for `keys`. */
export const playerKeys = (player) => [
  { keys: "Space k", name: text("key_toggle"), run: () => player.toggle() },
  { keys: "ArrowLeft", name: text("key_back", { n: 5 }), run: () => player.seek(player.time - 5) },
  { keys: "ArrowRight", name: text("key_forward", { n: 5 }), run: () => player.seek(player.time + 5) },
  { keys: "<", name: text("key_slower"), run: () => player.shiftRate(-1) },
  { keys: ">", name: text("key_faster"), run: () => player.shiftRate(1) },
];

const isLetter = (key) => key.length === 1 && key.toLowerCase() !== key.toUpperCase();

/** One way to write a chord. Which keys have Shift with a sign differs by keyboard, so that only letters and names tell it. */
function chord({ mod, alt, shift, key }) {
  const tellsShift = shift && (key.length > 1 || isLetter(key));
  return [mod && "Mod", alt && "Alt", tellsShift && "Shift", key.length === 1 ? key.toLowerCase() : key].filter(Boolean).join("+");
}

function normal(written) {
  const parts = written === "+" ? ["+"] : written.split("+");
  const key = parts.at(-1) || "+";
  const has = (...names) => names.some((name) => parts.slice(0, -1).includes(name));
  return chord({ mod: has("Mod", "Ctrl", "Meta"), alt: has("Alt"), shift: has("Shift"), key });
}

function pressed(event) {
  // AltGr comes as Ctrl and Alt together and makes a sign of its own.
  const own = event.getModifierState("AltGraph");
  const { shiftKey: shift, key } = event;
  return chord({ mod: !own && (event.ctrlKey || event.metaKey), alt: !own && event.altKey, shift, key: key === " " ? "Space" : key });
}

/** What the element with the focus does with this key by itself. */
function isItsOwn(target, key) {
  if (key === "Space" || key === "Enter") return Boolean(target.closest(PRESSED));
  return /^(Arrow|Home|End|Page)/.test(key) && Boolean(target.closest(MOVED));
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
  const [target, key] = [event.target, pressed(event)];
  const isTyping = Boolean(target.closest?.(TYPED_IN));
  if (target.closest && isItsOwn(target, key)) return;
  const all = [...bound].flat();
  // The newest comes first, so that a part of a page can take a key for a while.
  const found = all.findLast((one) => one.chords.includes(key) && (one.always || !isTyping));
  if (!found && (key !== "?" || isTyping || !all.length)) return;
  event.preventDefault();
  if (found) found.run(event);
  else showKeys();
});

/** Opens the sheet. */
export function showKeys() {
  const sheet = document.createElement("dialog");
  sheet.className = "keys-sheet";
  sheet.setAttribute("aria-labelledby", "keys-title");
  const title = Object.assign(document.createElement("h2"), { id: "keys-title", textContent: text("keys_title") });
  const list = document.createElement("dl");
  list.append(...[...bound].flat().map(row), row({ chords: ["?"], name: text("keys_title") }));
  const close = Object.assign(document.createElement("button"), { className: "button", textContent: text("keys_close"), autofocus: true });
  close.addEventListener("click", () => sheet.close());
  sheet.append(title, list, close);
  sheet.addEventListener("close", () => sheet.remove());
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet) sheet.close();
  });
  document.body.append(sheet);
  sheet.showModal();
}

function row({ chords, name }) {
  const line = document.createElement("div");
  const [term, meaning] = [document.createElement("dt"), document.createElement("dd")];
  for (const one of chords) {
    if (term.childNodes.length) term.append(" ");
    term.append(Object.assign(document.createElement("kbd"), { textContent: shown(one) }));
  }
  meaning.textContent = name;
  line.append(term, meaning);
  return line;
}

function shown(one) {
  const mod = /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘" : "Ctrl";
  const names = { ...SIGNS, Mod: mod, Space: text("key_space") };
  const parts = one === "+" ? ["+"] : one.split("+");
  return parts.map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join(" + ");
}
