// The form that takes recordings: a link or several, files that are chosen, dropped or shared, or what the microphone hears.
// One of them is sent with the form's own progress, several as a list (capture/batch.js).

import { makeBatch } from "./capture/batch.js";
import { send } from "./capture/sending.js";
import { sharedItems } from "./capture/shared.js";
import { field, setHidden, setProgress, setText } from "./dom.js";
import { bytes, percent, speed, timeLeft } from "./format.js";
import { offerRecording } from "./recorder.js";
import { data, text } from "./texts.js";

const form = document.getElementById("composer");
const source = document.getElementById("source");
const chosen = document.getElementById("chosen");
const sending = document.getElementById("sending");
const submit = document.getElementById("submit");
const veil = document.getElementById("veil");
const status = document.getElementById("composer-status");
const link = form.elements.source_url;
const picker = form.elements.media_file;
const { upload_limit_bytes: limit, upload_limit_label: limitLabel, submit_url: submitUrl, uploads_url: uploadsUrl } =
  data("start");

// What is to be sent: {file, name} of one file, {url, name} of one link. A recording or a shared file also has `made`, called
// when there is a job, and `dropped`, called when it is taken out of the form.
let item = null;
let running = null;
// The options of a list stay those with which it was started, so that a retry asks for the same.
let batchFields = null;
let numbered = 0;

const batch = makeBatch({
  place: document.getElementById("batch"),
  problemOf: ({ file }) => (file ? problemOf(file) : null),
  send: (one, on) => {
    one.title ??= batchFields.source_label && `${batchFields.source_label} ${++numbered}`;
    const told = one.title ? { ...batchFields, source_label: one.title } : batchFields;
    return send(one, told, { submitUrl, uploadsUrl, ...on });
  },
  onChange: showBatch,
});

const asItem = (file) => ({ file, name: file.name });

/** One file is shown in place of the fields, several as a list; none shows the fields again. */
function choose(items) {
  if (item && !items.includes(item)) item.dropped?.();
  item = null;
  batch.clear();
  if (items.length === 1) [item] = items;
  else for (const one of items) batch.add(one);
  showSource();
  showErrors({});
  if (!item) return;
  setText(field(chosen, "name"), item.name);
  setText(field(chosen, "size"), bytes(item.file.size));
  setText(status, text("file_chosen", { name: item.name }));
  const problem = problemOf(item.file);
  if (problem) showErrors({ media_file: [problem] });
}

/** Further ones beside those that are chosen already. */
function chooseAlso(items) {
  if (!hasList()) return choose([...(item ? [item] : []), ...items]);
  for (const one of items) batch.add(one);
  if (batch.isStarted) batch.start();
}

/** One that is over stays to be read, and gives way to what is handed in next. */
const hasList = () => batch.size > 0 && (batch.isOpen || !batch.isStarted);

function showSource() {
  source.dataset.source = item ? "file" : hasList() ? "files" : link.value.trim() ? "link" : "none";
  setHidden(chosen, !item);
}

function showBatch() {
  showSource();
  submit.disabled = Boolean(running) || (batch.isStarted && batch.isOpen);
  (batch.isOpen && batch.isStarted ? addEventListener : removeEventListener)("beforeunload", askToStay);
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
  const ticked = ["human_review", "use_glossary"].filter((name) => form.elements[name]?.checked).map((name) => [name, "true"]);
  const targets = [...form.querySelectorAll(".targets select")].map(({ value }) => value).filter(Boolean);
  return { ...Object.fromEntries([...given, ...ticked]), ...speakers(), ...(targets.length && { translation_target_languages: targets }) };
}

/** What the choice of the number of speakers means to the API. */
function speakers() {
  const { value } = form.elements.speakers;
  if (value === "off") return { disable_diarization: "true" };
  return value && { min_speakers: value, max_speakers: value };
}

const links = () => [...new Set(link.value.split("\n").map((line) => line.trim()).filter(Boolean))];

function showWaiting() {
  setText(field(sending, "rate"), text("upload_waiting"));
  setText(status, text("upload_waiting"));
}

function showProgress({ sent, total, rate, left }) {
  setText(status, "");
  const value = total ? (100 * sent) / total : 0;
  setProgress(sending.querySelector("progress"), value);
  setText(field(sending, "percent"), percent(value));
  const done = sent >= total;
  setText(field(sending, "rate"), done ? text("upload_checking") : `${speed(rate)} · ${timeLeft(left)}`);
}

function busy(on) {
  submit.disabled = on;
  form.setAttribute("aria-busy", String(on));
  setHidden(sending, !on || !item?.file);
}

const askToStay = (event) => event.preventDefault();

function handIn() {
  if (hasList()) return batch.isStarted || startBatch();
  batch.clear();
  const urls = item ? [] : links();
  if (urls.length > 1) {
    for (const url of urls) batch.add({ url, name: url });
    link.value = "";
    return startBatch();
  }
  return sendOne(urls[0]);
}

function startBatch() {
  showErrors({});
  batchFields = fields();
  numbered = 0;
  batch.start();
  setText(status, text("batch_started", { total: batch.size }));
}

// The link that was sent last: sent once more it is the same request.
let lastLink = null;

function linkItem(url) {
  if (lastLink?.url !== url) lastLink = { url, name: url };
  return lastLink;
}

async function sendOne(url) {
  const problem = item ? problemOf(item.file) : url ? null : text("source_missing");
  if (problem) return showErrors(item ? { media_file: [problem] } : { source_url: [problem] });
  showErrors({});
  showProgress({ sent: 0, total: item?.file.size ?? 1, rate: 0, left: 0 });
  setText(status, "");
  setText(field(sending, "rate"), "");
  busy(true);
  // Only for so long: a page that listens for this can't be put aside and taken up again by the browser.
  if (item) addEventListener("beforeunload", askToStay);
  const sent = item ?? linkItem(url);
  running = send(sent, fields(), { submitUrl, uploadsUrl, onProgress: showProgress, onWaiting: showWaiting });
  try {
    const { job } = await running.done;
    sent.made?.();
    clear();
    document.dispatchEvent(new CustomEvent("job:submitted", { detail: job }));
    setText(status, text("submitted", { title: job.title }));
  } catch (error) {
    setText(status, "");
    if (error.code === "aborted") setText(status, error.message);
    else showErrors(error.errors ?? {}, error.message);
  } finally {
    running = null;
    removeEventListener("beforeunload", askToStay);
    busy(false);
  }
}

function clear() {
  lastLink = null;
  link.value = "";
  fitLink();
  picker.value = "";
  form.elements.source_label.value = "";
  form.elements.source_note.value = "";
  // It has been handed in, and is not taken out of the form.
  item = null;
  choose([]);
}

/** As many lines as there are links, for browsers that do not grow a field by themselves. */
function fitLink() {
  link.rows = Math.min(8, Math.max(1, link.value.split("\n").length));
}

const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

function onDrop(event) {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  setHidden(veil, true);
  if (running) return;
  chooseAlso([...event.dataTransfer.files].map(asItem));
  submit.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!running) handIn();
});
link.addEventListener("input", () => {
  fitLink();
  showSource();
});
// A link is handed in by Enter, as from a field of one line; Shift and Enter begin another line.
link.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
picker.addEventListener("change", () => {
  if (picker.files.length) choose([...picker.files].map(asItem));
});
document.getElementById("unchoose").addEventListener("click", () => {
  picker.value = "";
  choose([]);
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
choose([...picker.files].map(asItem));
fitLink();
offerRecording((recorded, { send: atOnce }) => {
  if (running) return recorded.dropped();
  chooseAlso([recorded]);
  submit.focus();
  if (atOnce) form.requestSubmit();
});
sharedItems().then((items) => items.length && chooseAlso(items));
if (form.querySelector("[data-error]:not(:empty)")) form.querySelector('[aria-invalid="true"]')?.focus();
