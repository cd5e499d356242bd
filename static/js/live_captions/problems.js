// What can go wrong between the page and the server, as one kind of exception, and calls of the speech API, whose errors have its own envelope.

import { csrfToken } from "../api.js";
import { text } from "../texts.js";

/** `isFinal`: trying once more, or another way, would not help. `isGone`: the session is, and a new one may be had. */
export class Problem extends Error {
  constructor(message, { code = "", isFinal = false, isGone = false } = {}) {
    super(message);
    Object.assign(this, { code, isFinal, isGone });
  }
}

const GONE = ["SCAIECHO_NOT_FOUND", "SCAIECHO_WEBRTC_SESSION_NOT_FOUND", "SCAIECHO_WEBRTC_SESSION_STATE_LOST"];
const MAY_CHANGE = ["SCAIECHO_WEBRTC_UNAVAILABLE", "SCAIECHO_WEBRTC_BAD_OFFER", "SCAIECHO_BACKEND_UNAVAILABLE", "SCAIECHO_STREAM_FAILED"];

/** The problem that an error frame, or the error of an answer, stands for. */
export function problemOf({ code = "", message = "" } = {}, status = 0) {
  const isGone = GONE.includes(code);
  const isFinal = !isGone && !MAY_CHANGE.includes(code) && (status === 0 || (status >= 400 && status < 500));
  const fallback = status === 401 ? text("signed_out") : text("server_error");
  return new Problem(message || fallback, { code, isFinal, isGone });
}

export async function call(method, path, body) {
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  let response;
  try {
    response = await fetch(path, { method, headers, keepalive: method === "DELETE", body: body && JSON.stringify(body) });
  } catch {
    throw new Problem(text("unreachable"));
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(answer?.error, response.status);
  return answer?.data;
}

export const socketAddress = (path) => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
