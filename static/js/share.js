// Sharing on a job's page: the server draws the part, the script sends its forms, asks before a link ends, and keeps it up to date.

import { data, text } from "./texts.js";
import { field, setHidden, setText } from "./dom.js";
import { localiseTimes } from "./format.js";

const HEADERS = { "X-Part": "share" };
const start = data("start");
const seen = { status: start.job.status, joined: false, stale: false, sending: false };
const part = () => document.getElementById("share");

async function ask(options = {}) {
  try {
    const answer = await fetch(part().dataset.url, { headers: HEADERS, ...options });
    if (answer.ok || answer.status === 422) return put(await answer.text());
    throw new Error(text(answer.status === 403 || answer.redirected ? "signed_out" : "server_error"));
  } catch (error) {
    setText(field(part(), "share-error"), error instanceof TypeError ? text("unreachable") : error.message);
  }
  return false;
}

/** Takes over what the server has drawn; who was in the middle of it finds the keyboard where it was. */
function put(drawn) {
  const fresh = new DOMParser().parseFromString(drawn, "text/html").getElementById("share");
  if (!fresh) throw new Error(text("signed_out"));
  const [old, held] = [part(), document.activeElement];
  const within = old.contains(held);
  if (old.querySelector("details")?.open) fresh.querySelector("details").open = true;
  old.replaceWith(fresh);
  seen.stale = false;
  prepare();
  const same = held?.id ? document.getElementById(held.id) : fresh.querySelector("#share-url, form > button");
  if (within) (same ?? fresh.querySelector("button"))?.focus();
  return true;
}

function prepare() {
  localiseTimes(part());
  showDate();
}

function showDate() {
  const chosen = part().querySelector('select[name="expires"]')?.value;
  setHidden(field(part(), "share-date"), chosen !== "date");
}

/** Something is typed or chosen here that a fresh part would lose. */
function isBusy() {
  const typed = [...part().querySelectorAll("form input:not([type=hidden]), form select")];
  const changed = (one) => (one.type === "checkbox" ? one.checked !== one.defaultChecked : one.matches("select") ? !one.selectedOptions[0]?.defaultSelected : one.value !== one.defaultValue);
  return Boolean(part().querySelector("dialog[open]")) || typed.some(changed);
}

function renew() {
  if (seen.sending || isBusy()) seen.stale = true;
  else ask();
}

async function copy() {
  const link = document.getElementById("share-url");
  link.select();
  try {
    await navigator.clipboard.writeText(link.value);
  } catch {
    document.execCommand("copy");
  }
  setText(field(part(), "share-told"), text("copied"));
  document.getElementById("share-copy").dataset.done = "";
  setTimeout(() => delete document.getElementById("share-copy")?.dataset.done, 2000);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#share-copy")) copy();
  const dialog = event.target.closest("#share [data-confirm]")?.dataset.confirm;
  if (!dialog) return;
  event.preventDefault();
  document.getElementById(dialog).showModal();
});
document.addEventListener("change", (event) => {
  if (event.target.matches('#share select[name="expires"]')) showDate();
});
document.addEventListener("submit", async (event) => {
  if (!event.target.closest("#share") || event.submitter?.formMethod === "dialog") return;
  event.preventDefault();
  if (seen.sending) return;
  seen.sending = true;
  const body = new FormData(event.target, event.submitter);
  event.target.closest("dialog")?.close();
  await ask({ method: "POST", body, headers: HEADERS });
  seen.sending = false;
});
// A link that another page or program has made or ended, and the first words of a job that may be shared.
document.addEventListener("job:share", renew);
for (const kind of ["job:snapshot", "job:change"]) {
  document.addEventListener(kind, ({ detail: { job } }) => {
    // A whole job comes when the socket opens, and later where something was missed.
    const missed = job.share !== undefined && seen.joined;
    if (missed || job.status !== seen.status || seen.stale) renew();
    Object.assign(seen, { status: job.status, joined: true });
  });
}
prepare();
