// The title and the note of a recording, changed on its page without leaving it. What is being typed is left alone.

import { call } from "./api.js";
import { field, setHidden, setText } from "./dom.js";
import { data, text } from "./texts.js";

const start = data("start");
const part = document.getElementById("naming");
const form = part.querySelector("form");
const summary = part.querySelector("summary");
const inputs = ["source_label", "source_note"].map((name) => form.elements[name]);
const said = () => form.querySelector('[data-field="error"]');
const hasChanged = (input) => input.value !== input.defaultValue;

/** What the server has now; of what somebody types only what it is compared with. */
function show(job) {
  setText(document.querySelector('h1[data-field="title"]'), job.title);
  const note = field(document.getElementById("job"), "note");
  setText(note, job.source_note ?? "");
  setHidden(note, !job.source_note);
  for (const input of inputs) {
    const [typed, isTyped] = [input.value, part.open && hasChanged(input)];
    input.defaultValue = job[input.name] ?? "";
    input.value = isTyped ? typed : input.defaultValue;
  }
}

function close() {
  for (const input of inputs) input.value = input.defaultValue;
  setText(said(), "");
  part.open = false;
  summary.focus();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const changed = inputs.filter(hasChanged).map(({ name, value }) => [name, value]);
  if (!changed.length) return close();
  const button = form.querySelector(".primary");
  button.disabled = true;
  try {
    const { job } = await call("PATCH", start.api_url, Object.fromEntries(changed));
    part.open = false;
    show(job);
    close();
    setText(document.getElementById("announce"), text("title_saved"));
  } catch (error) {
    setText(said(), error.message);
  } finally {
    button.disabled = false;
  }
  return undefined;
});
form.querySelector('[data-act="cancel"]').addEventListener("click", close);
form.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
});
part.addEventListener("toggle", () => {
  if (part.open) inputs[0].focus();
});
for (const kind of ["job:snapshot", "job:change"]) {
  document.addEventListener(kind, ({ detail: { job } }) => job.title !== undefined && show(job));
}
