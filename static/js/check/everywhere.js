// The dialog that changes a word wherever it stands: every place is shown before anything is changed.

import { field, setText } from "../dom.js";
import { clock } from "../format.js";
import { text } from "../texts.js";

const PAUSE_MS = 250;
const dialog = document.getElementById("everywhere");
const [find, replace] = [document.getElementById("find"), document.getElementById("replace")];
const apply = dialog.querySelector('[value="apply"]');
let corrections = null;
let found = null;
let timer = 0;
let asked = 0;

const body = () => ({ find: find.value.trim(), replace: replace.value.trim(), match_case: true, whole_words: true });

/** Resolves to the correction to make, or to null. */
export function askEverywhere(made, { removed, added }) {
  corrections = made;
  find.value = removed;
  replace.value = added;
  dialog.returnValue = "";
  dialog.showModal();
  (removed ? replace : find).select();
  look();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "apply" && found ? chosen() : null), { once: true });
  });
}

/** What was shown, and no more: places that have come up since stay as they are. */
function chosen() {
  const { answer, sent } = found;
  const segments = new Map(answer.matches.map(({ id, revision }) => [id, { id, revision }]));
  return { body: { kind: "replace", ...sent, segments: [...segments.values()] }, count: answer.matches.length };
}

async function look() {
  const turn = ++asked;
  const sent = body();
  found = null;
  apply.disabled = true;
  setText(field(dialog, "error"), "");
  if (!sent.find) return draw({ matches: [], count: 0 }, "");
  try {
    const answer = await corrections.preview(sent);
    if (turn !== asked) return undefined;
    found = answer.count && sent.find !== sent.replace ? { answer, sent } : null;
    apply.disabled = !found;
    return draw(answer, told(answer.count));
  } catch (error) {
    if (turn === asked) setText(field(dialog, "error"), error.message);
    return undefined;
  }
}

const told = (count) => (count === 1 ? text("check_found_one") : text(count ? "check_found" : "check_found_none", { count }));

function draw({ matches }, count) {
  setText(field(dialog, "count"), count);
  field(dialog, "matches").replaceChildren(...matches.map(row));
}

function row({ start, before, after }) {
  const item = document.createElement("li");
  const place = Object.assign(document.createElement("span"), { className: "number muted", textContent: clock(start) });
  const old = Object.assign(document.createElement("del"), { textContent: before, dir: "auto" });
  const fresh = Object.assign(document.createElement("ins"), { textContent: after, dir: "auto" });
  item.append(place, old, fresh);
  return item;
}

for (const box of [find, replace]) {
  box.addEventListener("input", () => {
    // An answer to what stood here before must not be applied any more.
    asked += 1;
    found = null;
    apply.disabled = true;
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  // Enter would press the first button, which is the one that changes nothing.
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (!apply.disabled) apply.click();
  });
}
