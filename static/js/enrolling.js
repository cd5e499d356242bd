// Enrolling a speaker: the consent's text fills itself in, both recordings can be made here, and what is wrong is shown without
// losing them. Without this script files are chosen, and the page comes anew.

import { listen, problemOf } from "./capture/microphone.js";
import { field, setHidden, setProgress, setText } from "./dom.js";
import { clock } from "./format.js";
import { text } from "./texts.js";

const form = document.getElementById("enrol-form");
const consent = form.elements.consent_text;
const filled = { name: form.elements.consent_user_full_name, purpose: form.elements.consent_stated_purpose };
const pattern = consent.defaultValue;
let isOwnText = !/\{(name|purpose)\}/.test(pattern);

// --- the text to read ---

function fillConsent() {
  if (isOwnText || consent.readOnly) return;
  consent.value = pattern.replace(/\{(name|purpose)\}/g, (whole, key) => filled[key].value.trim().replace(/[.\s]+$/, "") || whole);
}

for (const input of Object.values(filled)) input.addEventListener("input", fillConsent);
consent.addEventListener("input", () => (isOwnText = true));
fillConsent();

// --- recording ---

const ENDINGS = { "audio/mp4": "m4a", "audio/ogg": "ogg" };
const isPossible = () => Boolean(navigator.mediaDevices?.getUserMedia && globalThis.MediaRecorder);

/** What was recorded goes into the file field, so that it is sent as any other file is. */
function offer(place) {
  const input = form.elements[place.dataset.record];
  const button = field(place, "button");
  const audio = place.querySelector("audio");
  const meter = place.querySelector("meter");
  const say = (key) => setText(field(place, "problem"), key ? text(key) : "");
  const idle = button.querySelector("span").textContent;
  let microphone = null;
  let pieces = [];
  let timer = 0;

  async function begin() {
    say("");
    if (!isPossible()) return say(isSecureContext ? "mic_unsupported" : "mic_insecure");
    button.disabled = true;
    pieces = [];
    try {
      microphone = await listen({ onPiece: (piece) => pieces.push(piece), onEnd: finish });
    } catch (error) {
      return say(problemOf(error));
    } finally {
      button.disabled = false;
    }
    show(true);
    timer = setInterval(() => {
      setText(field(place, "time"), clock(microphone.seconds));
      setProgress(meter, microphone.level());
    }, 100);
  }

  function finish() {
    clearInterval(timer);
    const { type } = microphone;
    microphone = null;
    show(false);
    if (!pieces.length) return say("mic_failed");
    const file = new File([new Blob(pieces, { type })], `${place.dataset.record}.${ENDINGS[type] ?? "webm"}`, { type });
    const chosen = new DataTransfer();
    chosen.items.add(file);
    input.files = chosen.files;
    hear(file);
    setText(button.querySelector("span"), text("enrol_again"));
  }

  function show(isRecording) {
    place.dataset.state = isRecording ? "recording" : "";
    setHidden(meter, !isRecording);
    setText(button.querySelector("span"), isRecording ? text("enrol_finish") : idle);
    // What is read is what is sent.
    if (place.dataset.record === "consent") consent.readOnly = isRecording;
  }

  function hear(file) {
    URL.revokeObjectURL(audio.src);
    setHidden(audio, !file);
    if (file) audio.src = URL.createObjectURL(file);
  }

  button.addEventListener("click", () => (microphone ? microphone.stop() : begin()));
  input.addEventListener("change", () => hear(input.files[0]));
}

for (const place of form.querySelectorAll("[data-record]")) offer(place);

// --- sending ---

const status = document.getElementById("enrol-status");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const submit = form.querySelector("button.primary");
  submit.disabled = true;
  setText(status, text("enrol_waiting"));
  try {
    const headers = { Accept: "text/html", "X-Requested-With": "fetch" };
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers });
    if (answer.status === 201) return location.assign(answer.headers.get("Location"));
    // To the page for signing in.
    if (answer.redirected) return location.assign(answer.url);
    if (answer.status !== 422) return setText(status, text("server_error"));
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    setText(status, "");
  } catch {
    setText(status, text("unreachable"));
  } finally {
    submit.disabled = false;
  }
});

/** What the server found wrong, where it belongs; all that was typed and recorded stays. */
function show(page) {
  for (const error of form.querySelectorAll(".field > .error")) error.remove();
  for (const input of form.elements) input.removeAttribute("aria-invalid");
  for (const error of page.querySelectorAll("#enrol-form .field > .error")) {
    const input = document.getElementById(error.closest(".field").querySelector("label").htmlFor);
    input.setAttribute("aria-invalid", "true");
    input.after(error);
  }
  const result = document.getElementById("enrol-result");
  result.replaceWith(page.getElementById("enrol-result"));
  document.getElementById("enrol-result").focus();
}
