// One recording on its way to the server: a link, a file in one request, or a large file in pieces. A retry makes no second job.

import { call, upload } from "../api.js";
import * as resumable from "../resumable.js";

/** Randomness that pages without https have as well. */
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * Sends `item`, {file} or {url}, with the form's `fields`. Returns {done, cancel}; `done` gives the API's answer. The item keeps
 * the name of its request, so that the same request sent again is answered with the job that the first one made.
 */
export function send(item, fields, { submitUrl, uploadsUrl, onProgress, onWaiting }) {
  const asked = JSON.stringify(fields);
  if (item.asked !== asked) Object.assign(item, { asked, key: newKey() });
  const headers = { "Idempotency-Key": item.key };
  if (!item.file) return inOneCall(submitUrl, { source_url: item.url, ...fields }, headers);
  if (!resumable.isLarge(item.file, uploadsUrl)) return upload(submitUrl, formOf(item.file, fields), onProgress, headers);
  const { done, cancel } = resumable.send(item.file, uploadsUrl, { onProgress, onWaiting });
  return { done: done.then(({ id, forget }) => handIn(submitUrl, { upload_id: id, ...fields }, headers, forget)), cancel };
}

/** A link takes a moment only, so there is nothing to cancel. */
const inOneCall = (path, body, headers) => ({ done: call("POST", path, body, headers), cancel() {} });

function formOf(file, fields) {
  const form = new FormData();
  form.append("media_file", file, file.name);
  for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) form.append(name, one);
  return form;
}

/** The browser remembers the pieces until there is a job, so that nothing is sent twice. */
async function handIn(path, body, headers, forget) {
  try {
    const answer = await call("POST", path, body, headers);
    await forget();
    return answer;
  } catch (error) {
    if (error.errors?.upload_id) await forget();
    throw error;
  }
}
