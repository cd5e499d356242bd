// The callback of a job: how it stands, what was tried, and sending it once more. The page has it where one was asked for.

import { call } from "./api.js";
import { field, setData, setHidden, setText, stamp } from "./dom.js";
import { setTime, span } from "./format.js";
import { data, label, text } from "./texts.js";

const start = data("start");
const box = document.getElementById("callback");
const list = document.getElementById("attempts");
const again = field(box, "callback-again");
const button = again.querySelector("button");
const seen = { callback: start.callback, ended: !again.hidden, pushes: 0 };

function show(callback) {
  const before = seen.callback;
  seen.callback = callback;
  const named = label("callback_state", callback.status);
  setData(box, "status", callback.status);
  setData(field(box, "callback-status"), "status", callback.status);
  setText(field(box, "callback-status"), named);
  setText(field(box, "callback-error"), label("callback_failures", callback.error, callback.error));
  // Until it has failed for good, the list of attempts says enough.
  setHidden(field(box, "callback-error"), callback.status !== "failed");
  if (before.status !== callback.status) setText(field(box, "callback-announce"), `${text("callback")}: ${named}`);
  showNext();
  showLog(callback.log);
}

function showNext() {
  const { next_attempt_at: next, status } = seen.callback;
  const line = field(box, "callback-next");
  const seconds = (new Date(next) - Date.now()) / 1000;
  setHidden(line, status !== "pending");
  setText(line, !next ? text("callback_held") : seconds > 0 ? text("callback_next", { time: span(seconds) }) : text("callback_now"));
}

function showLog(log) {
  setHidden(list, log.length === 0);
  list.replaceChildren(
    ...log.map((attempt) => {
      const item = stamp("attempt");
      setTime(item.querySelector("time"), attempt.at);
      setText(field(item, "status"), attempt.http_status === null ? "" : String(attempt.http_status));
      setText(field(item, "error"), attempt.error ? label("callback_failures", attempt.error, attempt.error) : label("callback_state", "delivered"));
      return item;
    }),
  );
}

/** A page that missed a push learns from the job that there is something new. */
async function compare(job) {
  seen.ended = job.status === "completed" || job.status === "failed";
  setHidden(again, !seen.ended);
  const { status, last_attempt_at: at } = job.callback ?? seen.callback;
  if (status !== seen.callback.status || at !== seen.callback.last_attempt_at) await refresh();
  else show(seen.callback);
}

async function refresh() {
  const { pushes } = seen;
  try {
    const answer = await call("GET", start.callback_attempts_url);
    // What was pushed meanwhile is newer than what was asked for before.
    if (pushes === seen.pushes) show({ ...answer.callback, log: answer.attempts });
  } catch {
    // What the page shows stays; the next push brings it up to date.
  }
}

again.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  setText(field(box, "callback-refused"), "");
  try {
    await call("POST", start.callback_replay_url);
    await refresh();
  } catch (error) {
    setText(field(box, "callback-refused"), error.message);
  } finally {
    button.disabled = false;
  }
});
document.addEventListener("job:callback", ({ detail }) => {
  seen.pushes += 1;
  show(detail.callback);
});
document.addEventListener("job:snapshot", ({ detail }) => compare(detail.job));
document.addEventListener("job:change", ({ detail }) => compare(detail.job));
setInterval(showNext, 10_000);
show(start.callback);
