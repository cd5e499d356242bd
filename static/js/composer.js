// The form that takes a link or a file: one or the other, dropped or chosen, with the upload's own progress.

import { call, upload } from "./api.js";
import { setHidden, setProgress, setText, field } from "./dom.js";
import { bytes, percent, speed, timeLeft } from "./format.js";
import * as resumable from "./resumable.js";
import { data, text } from "./texts.js";

const form = document.getElementById("composer");
const source = document.getElementById("source");
const chosen = document.getElementById("chosen");
const sending = document.getElementById("sending");
const submit = document.getElementById("submit");
const veil = document.getElementById("veil");
const link = form.elements.source_url;
const picker = form.elements.media_file;
const { upload_limit_bytes: limit, upload_limit_label: limitLabel, submit_url: submitUrl, uploads_url: uploadsUrl } =
  data("start");

let file = null;
let running = null;

function choose(picked) {
  file = picked ?? null;
  source.dataset.source = file ? "file" : link.value.trim() ? "link" : "none";
  setHidden(chosen, !file);
  showErrors({});
  if (!file) return;
  setText(field(chosen, "name"), file.name);
  setText(field(chosen, "size"), bytes(file.size));
  document.getElementById("composer-status").textContent = text("file_chosen", { name: file.name });
  const problem = problemOf(file);
  if (problem) showErrors({ media_file: [problem] });
}

function problemOf(picked) {
  if (picked.size === 0) return text("file_empty");
  if (limit && picked.size > limit) return text("file_too_large", { size: bytes(picked.size), limit: limitLabel });
  return null;
}

/** Shows each error beside its field and puts the rest on top; moves the focus to the first field that has one. */
function showErrors(errors, sentence = "") {
  const rest = [];
  for (const place of form.querySelectorAll("[data-error]")) place.textContent = "";
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  for (const [name, sentences] of Object.entries(errors)) {
    const places = form.querySelectorAll(`[data-error="${name}"]`);
    if (!places.length || name === "form") rest.push(...sentences);
    for (const place of places) place.textContent = sentences.join(" ");
    form.elements[name]?.setAttribute?.("aria-invalid", "true");
  }
  if (!Object.keys(errors).length && sentence) rest.push(sentence);
  form.querySelector('[data-error="form"]').textContent = rest.join(" ");
  setHidden(document.getElementById("form-error"), !rest.length);
  const first = form.querySelector('[aria-invalid="true"]');
  const more = first?.closest("details");
  if (more) more.open = true;
  first?.focus();
}

function fields() {
  const names = ["model", "language", "task", "hotwords", "initial_prompt", "analysis_language", "source_label", "source_note"];
  const given = names.map((name) => [name, form.elements[name]?.value.trim()]).filter(([, value]) => value);
  const targets = [...form.querySelectorAll(".targets select")].map(({ value }) => value).filter(Boolean);
  return { ...Object.fromEntries(given), ...speakers(), ...(targets.length && { translation_target_languages: targets }) };
}

/** What the choice of the number of speakers means to the API. */
function speakers() {
  const { value } = form.elements.speakers;
  if (value === "off") return { disable_diarization: "true" };
  return value && { min_speakers: value, max_speakers: value };
}

function body() {
  const sent = new FormData();
  if (file) sent.append("media_file", file, file.name);
  else sent.append("source_url", link.value.trim());
  for (const [name, value] of Object.entries(fields())) for (const one of [value].flat()) sent.append(name, one);
  return sent;
}

/** In pieces first, then the job. The browser remembers the pieces until there is one, so that nothing is sent twice. */
function sendInPieces() {
  const { done, cancel } = resumable.send(file, uploadsUrl, { onProgress: showProgress, onWaiting: showWaiting });
  return { done: done.then(({ id, forget }) => handIn(id, forget)), cancel };
}

async function handIn(id, forget) {
  try {
    const answer = await call("POST", submitUrl, { upload_id: id, ...fields() });
    await forget();
    return answer;
  } catch (error) {
    if (error.errors?.upload_id) await forget();
    throw error;
  }
}

function showWaiting() {
  setText(field(sending, "rate"), text("upload_waiting"));
  setText(document.getElementById("composer-status"), text("upload_waiting"));
}

function showProgress({ sent, total, rate, left }) {
  setText(document.getElementById("composer-status"), "");
  const value = total ? (100 * sent) / total : 0;
  setProgress(sending.querySelector("progress"), value);
  setText(field(sending, "percent"), percent(value));
  const done = sent >= total;
  setText(field(sending, "rate"), done ? text("upload_checking") : `${speed(rate)} · ${timeLeft(left)}`);
}

function busy(on) {
  submit.disabled = on;
  form.setAttribute("aria-busy", String(on));
  setHidden(sending, !on || !file);
}

const askToStay = (event) => event.preventDefault();

async function send() {
  const problem = file ? problemOf(file) : link.value.trim() ? null : text("source_missing");
  if (problem) return showErrors(file ? { media_file: [problem] } : { source_url: [problem] });
  showErrors({});
  showProgress({ sent: 0, total: file?.size ?? 1, rate: 0, left: 0 });
  setText(document.getElementById("composer-status"), "");
  setText(field(sending, "rate"), "");
  busy(true);
  const inPieces = resumable.isLarge(file, uploadsUrl);
  // Only for so long: a page that listens for this can't be put aside and taken up again by the browser.
  if (file) addEventListener("beforeunload", askToStay);
  running = inPieces ? sendInPieces() : upload(submitUrl, body(), showProgress);
  try {
    const { job } = await running.done;
    clear();
    document.dispatchEvent(new CustomEvent("job:submitted", { detail: job }));
    document.getElementById("composer-status").textContent = text("submitted", { title: job.title });
  } catch (error) {
    setText(document.getElementById("composer-status"), "");
    if (error.code === "aborted") document.getElementById("composer-status").textContent = error.message;
    else showErrors(error.errors ?? {}, error.message);
  } finally {
    running = null;
    removeEventListener("beforeunload", askToStay);
    busy(false);
  }
}

function clear() {
  link.value = "";
  picker.value = "";
  form.elements.source_label.value = "";
  form.elements.source_note.value = "";
  choose(null);
}

const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

function onDrop(event) {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  setHidden(veil, true);
  if (running) return;
  const files = event.dataTransfer.files;
  if (files.length > 1) return showErrors({ media_file: [text("one_file")] });
  if (files.length) choose(files[0]);
  submit.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!running) send();
});
link.addEventListener("input", () => {
  source.dataset.source = link.value.trim() ? "link" : "none";
});
picker.addEventListener("change", () => {
  if (picker.files.length) choose(picker.files[0]);
});
document.getElementById("unchoose").addEventListener("click", () => {
  picker.value = "";
  choose(null);
  picker.focus();
});
document.getElementById("stop-upload").addEventListener("click", () => running?.cancel());
addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  setHidden(veil, false);
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) setHidden(veil, true);
});
addEventListener("drop", onDrop);
choose(picker.files[0]);
if (form.querySelector("[data-error]:not(:empty)")) form.querySelector('[aria-invalid="true"]')?.focus();
