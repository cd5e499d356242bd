// The native API from a page: the session's cookie, the CSRF token, and errors as one kind of exception.

import { text } from "./texts.js";

export class ApiError extends Error {
  constructor(message, { status = 0, code = "", errors = {} } = {}) {
    super(message);
    Object.assign(this, { status, code, errors });
  }
}

export const csrfToken = (root = document) => root.querySelector('input[name="csrfmiddlewaretoken"]')?.value ?? "";

/** The error that an answer stands for: the server's own sentence, or ours where it sent none. */
export function errorOf(status, body) {
  const fallback = status === 401 ? text("signed_out") : status === 413 ? text("too_large") : text("server_error");
  return new ApiError(body?.message || fallback, { status, code: body?.code, errors: body?.errors ?? {} });
}

export async function call(method, path, body, further = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken(), ...further };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new ApiError(text("unreachable"));
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw errorOf(response.status, answer);
  return answer;
}

/**
 * Posts a form and reports how it goes: `onProgress({sent, total, rate, left})`, rate in bytes per second, left in
 * seconds. Returns {done, cancel}; fetch can't say how much of a body is sent, so this is XMLHttpRequest.
 */
export function upload(path, form, onProgress, further = {}) {
  const request = new XMLHttpRequest();
  const started = performance.now();
  const done = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => {
      const rate = event.loaded / Math.max(0.05, (performance.now() - started) / 1000);
      onProgress({ sent: event.loaded, total: event.total, rate, left: (event.total - event.loaded) / Math.max(1, rate) });
    });
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response);
      else reject(errorOf(request.status, request.response));
    });
    request.addEventListener("error", () => reject(new ApiError(text("unreachable"))));
    request.addEventListener("abort", () => reject(new ApiError(text("upload_cancelled"), { code: "aborted" })));
  });
  request.open("POST", path);
  request.responseType = "json";
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRFToken", csrfToken());
  for (const [name, value] of Object.entries(further)) request.setRequestHeader(name, value);
  request.send(form);
  return { done, cancel: () => request.abort() };
}
