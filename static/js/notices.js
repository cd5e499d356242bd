// Turns notices on and off for this browser, and marks it in the list. A subscription that was made with another key of the
// server, or that the server has forgotten, is made anew.

import { csrfToken } from "./api.js";
import { field, setHidden, setText } from "./dom.js";
import { text } from "./texts.js";

const place = document.getElementById("push");
const turnOn = document.getElementById("push-on");
const turnOff = document.getElementById("push-off");
const told = document.getElementById("push-status");
const { key, subscribe: subscribeUrl, forget: forgetUrl } = place.dataset;

const bytesOf = (base64url) => Uint8Array.from(atob(base64url.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

async function post(path, fields) {
  const body = new URLSearchParams({ csrfmiddlewaretoken: csrfToken(), ...fields });
  let answer;
  try {
    answer = await fetch(path, { method: "POST", body, headers: { Accept: "application/json" } });
  } catch {
    throw new Error(text("unreachable"));
  }
  if (!answer.ok) throw new Error(text("server_error"));
  return answer.json();
}

/** The subscription of this browser if it is one with this server's key, else null. */
async function current(registration) {
  const kept = await registration.pushManager.getSubscription();
  if (!kept) return null;
  const made = new Uint8Array(kept.options.applicationServerKey ?? []);
  if (same(made, bytesOf(key))) return kept;
  await kept.unsubscribe();
  return null;
}

async function tell(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  return post(subscribeUrl, { endpoint, p256dh: keys.p256dh, auth: keys.auth });
}

function show(on, sentence) {
  setHidden(turnOn, on);
  setHidden(turnOff, !on);
  setText(told, sentence ?? text(on ? "push_on" : "push_off"));
}

function mark(digest) {
  for (const row of place.querySelectorAll("[data-digest]")) setHidden(field(row, "this"), row.dataset.digest !== digest);
}

async function on() {
  const registration = await navigator.serviceWorker.ready;
  if ((await Notification.requestPermission()) !== "granted") return show(false, text("push_denied"));
  let subscription;
  try {
    const wanted = { userVisibleOnly: true, applicationServerKey: bytesOf(key) };
    subscription = (await current(registration)) ?? (await registration.pushManager.subscribe(wanted));
  } catch {
    return show(false, text("push_failed"));
  }
  await tell(subscription);
  location.reload();
}

async function off() {
  const registration = await navigator.serviceWorker.ready;
  const kept = await registration.pushManager.getSubscription();
  if (kept) {
    await post(forgetUrl, { endpoint: kept.endpoint });
    await kept.unsubscribe();
  }
  location.reload();
}

function withCare(work) {
  return async (event) => {
    const button = event?.currentTarget;
    if (button) button.disabled = true;
    try {
      await work();
    } catch (error) {
      setText(told, error.message);
    } finally {
      if (button) button.disabled = false;
    }
  };
}

async function begin() {
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return setText(told, text("push_unsupported"));
  if (Notification.permission === "denied") return setText(told, text("push_denied"));
  const registration = await navigator.serviceWorker.register("/sw.js");
  const kept = await current(registration);
  show(Boolean(kept));
  if (kept) mark((await tell(kept)).digest);
}

turnOn.addEventListener("click", withCare(on));
turnOff.addEventListener("click", withCare(off));
withCare(begin)();
