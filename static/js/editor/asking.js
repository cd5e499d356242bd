// Questions to the server whose answers count whatever their status, and who is signed in when it refuses.

import { csrfToken } from "../api.js";

let token = csrfToken();

/** {status, body}; status 0 when the server can't be reached. A short request goes on when the page is closed meanwhile. */
export async function ask(method, path, body) {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const headers = { Accept: "application/json", "X-CSRFToken": token, ...(sent ? { "Content-Type": "application/json" } : {}) };
  try {
    const answer = await fetch(path, { method, headers, body: sent, keepalive: Boolean(sent) && sent.length < 30_000 });
    const after = Number(answer.headers.get("Retry-After")) || 0;
    return { status: answer.status, body: await answer.json().catch(() => null), after };
  } catch {
    return { status: 0, body: null, after: 0 };
  }
}

/** What a refusal means: "same" user (with a fresh token), "signed_out", another "other_user", "denied", "gone" or "unknown". */
export async function whoIsThere(page, user) {
  let answer;
  try {
    answer = await fetch(page, { headers: { Accept: "text/html" } });
  } catch {
    return "unknown";
  }
  if (answer.redirected) return "signed_out";
  if (!answer.ok) return { 401: "signed_out", 403: "denied", 404: "gone" }[answer.status] ?? "unknown";
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const start = JSON.parse(fresh.getElementById("start")?.textContent ?? "{}");
  token = csrfToken(fresh);
  return start.user_id === user ? "same" : "other_user";
}
