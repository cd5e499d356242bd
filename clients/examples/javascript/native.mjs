// node native.mjs FILE CALLBACK_URL: hands a recording in, waits for its end, prints captions.
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const { TOOLS_WHISPER_URL, TOOLS_WHISPER_TOKEN } = process.env;
const api = `${TOOLS_WHISPER_URL}/api/whisper/transcribe`;

/** The answer; a refusal becomes an error with the server's sentence. */
async function call(path, options = {}) {
  const headers = { Authorization: `Bearer ${TOOLS_WHISPER_TOKEN}`, ...options.headers };
  const answer = await fetch(api + path, { ...options, headers });
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Error(`${answer.status}: ${told.message} ${JSON.stringify(told.errors ?? {})}`);
}

const [file, callback] = process.argv.slice(2);
const form = new FormData();
form.set("media_file", new Blob([await readFile(file)]), basename(file));
form.set("callback_url", callback);
form.set("source_label", "From Node.js");
// The key makes it safe to send this again when the answer was lost: it makes no second job.
const made = await call("", { method: "POST", body: form, headers: { "Idempotency-Key": randomUUID() } });
let { job } = await made.json();

while (!["completed", "failed"].includes(job.status)) {
  await pause(1000);
  ({ job } = await (await call(`/jobs/${job.id}`)).json());
}
if (job.status === "failed") throw new Error(`${job.failure_code}: ${job.failure_error}`);
console.log(await (await call(`/jobs/${job.id}/exports/srt?preset=web`)).text());
