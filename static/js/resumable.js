// A large file in pieces that outlive a lost network, a reload and a restart of the server: tus, by the official client.

import { ApiError, csrfToken, errorOf } from "./api.js";
import { text } from "./texts.js";

const LARGE_BYTES = 5 * 1024 * 1024;
const LONGEST_PAUSE_MS = 5000;
const pauses = Array.from({ length: 100_000 }, (_, attempt) => Math.min(LONGEST_PAUSE_MS, 500 * attempt));
// A network that says nothing for so long is taken to be gone, though no connection was closed.
const SILENCE_MS = 20_000;
// With the last byte the server puts the pieces together, which takes its time.
const LAST_SILENCE_MS = 300_000;
const PASSING = [0, 408, 409, 423, 429, 500, 502, 503, 504];

/** Whether this file goes in pieces; the client is there where the set-up could fetch it. */
export const isLarge = (file, endpoint) =>
  Boolean(endpoint && file && file.size > LARGE_BYTES && globalThis.tus?.isSupported);

function errorFor(failure) {
  const response = failure.originalResponse;
  if (!response) return new ApiError(failure.originalRequest ? text("unreachable") : text("server_error"));
  let body = null;
  try {
    body = JSON.parse(response.getBody());
  } catch {
    // A proxy's page, which has no sentence for people.
  }
  return errorOf(response.getStatus(), body);
}

/** Starts the upload anew from where the server is, when nothing moves and when the browser is online again. */
function watch(upload, onWaiting) {
  let moved = performance.now();
  let patience = SILENCE_MS;
  const restart = () => {
    moved = performance.now();
    upload.abort();
    upload.start();
  };
  const look = () => {
    if (performance.now() - moved < patience) return;
    onWaiting();
    restart();
  };
  const timer = setInterval(look, 1000);
  addEventListener("online", restart);
  return {
    moved(sent, total) {
      moved = performance.now();
      patience = sent < total ? SILENCE_MS : LAST_SILENCE_MS;
    },
    end() {
      clearInterval(timer);
      removeEventListener("online", restart);
    },
  };
}

/** Bytes per second since the last start, so that what was sent before a break makes nothing look fast. */
function meter(report) {
  let from = null;
  return {
    restart: () => (from = null),
    show(sent, total) {
      from ??= { sent, at: performance.now() };
      const rate = (sent - from.sent) / Math.max(0.05, (performance.now() - from.at) / 1000);
      report({ sent, total, rate, left: (total - sent) / Math.max(1, rate) });
    },
  };
}

/**
 * Sends `file`, from where an earlier attempt of this browser got to. `onProgress` is called as in api.upload, and
 * `onWaiting()` when the connection is lost; it goes on by itself. Returns {done, cancel}; `done` gives {id, forget},
 * and `forget` makes the next upload of the same file a new one.
 */
export function send(file, endpoint, { onProgress, onWaiting }) {
  const metering = meter(onProgress);
  let upload;
  let watching;
  let reject;
  const done = new Promise((resolve, refuse) => {
    reject = refuse;
    upload = new tus.Upload(file, {
      endpoint,
      headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
      metadata: { filename: file.name, filetype: file.type },
      retryDelays: pauses,
      onShouldRetry(failure) {
        const passing = PASSING.includes(failure.originalResponse?.getStatus() ?? 0);
        if (passing) onWaiting();
        return passing;
      },
      onProgress(sent, total) {
        watching.moved(sent, total);
        metering.show(sent, total);
      },
      onUploadUrlAvailable: metering.restart,
      onError: (failure) => reject(errorFor(failure)),
      onSuccess: () => resolve({ id: upload.url.split("/").pop(), forget: () => forget(upload) }),
    });
    watching = watch(upload, onWaiting);
    start(upload).catch(refuse);
  });
  const cancel = () => {
    // What has arrived is deleted, if the server can be told.
    upload.abort(true).catch(() => {});
    reject(new ApiError(text("upload_cancelled"), { code: "aborted" }));
  };
  return { done: done.finally(() => watching.end()), cancel };
}

async function start(upload) {
  const earlier = await upload.findPreviousUploads();
  if (earlier.length) upload.resumeFromPreviousUpload(earlier.at(-1));
  upload.start();
}

async function forget(upload) {
  for (const { urlStorageKey } of await upload.findPreviousUploads()) {
    await tus.defaultOptions.urlStorage.removeUpload(urlStorageKey);
  }
}
