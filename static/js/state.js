// The small line that says whether the page is live.

import { setData, setText } from "./dom.js";
import { text } from "./texts.js";

export function showState(element, state, reason) {
  setData(element, "state", state);
  if (state === "denied") return setText(element, text(reason));
  const lost = navigator.onLine ? "live_lost" : "live_offline";
  return setText(element, text({ connecting: "live_connecting", open: "live_open" }[state] ?? lost));
}
