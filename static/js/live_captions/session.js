// One live session from the page's side: over WebRTC, or where that does not get through over a WebSocket; a lost connection is made again.

import { text } from "../texts.js";
import { Problem } from "./problems.js";
import * as rtc from "./rtc.js";
import * as socket from "./socket.js";
import { makeTape } from "./tape.js";

const WAYS = { webrtc: rtc, websocket: socket };
const PAUSES_MS = [300, 1000, 2000, 4000];
/** Somebody who has spoken to nobody for so long should know it. */
const GIVE_UP_MS = 120_000;
/** The last words may take a while on a slow machine. */
const LAST_WORDS_MS = 45_000;
/** The server may have been restarted. */
const MAY_PASS = ["SCAIECHO_STREAM_FAILED", "SCAIECHO_BACKEND_UNAVAILABLE"];

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * `tell`: {state(name), way(reason), delta(frame), parted(), ended({jobId, reason}), failed(message)}; states are
 * "connecting", "live", "lost" and "ending". Returns {hear(samples), finish()}; `finish` resolves when no more is listened to.
 */
export function begin({ urls, stream, rate, options, tell }) {
  const tape = makeTape(rate);
  let way = rtc.isPossible() ? "webrtc" : "websocket";
  let transport = null;
  let sessionId = null;
  let after = 0;
  let refusal = null;
  let isOver = false;
  let isEnding = false;

  async function connect() {
    const coming = { sessionId, after, onMessage: take, onLost: lose };
    const opened = await WAYS[way].open({ urls, stream, tape, rate, options, ...coming });
    if (isOver) return opened.drop();
    transport = opened;
    sessionId = opened.sessionId;
    if (way === "webrtc") tape.clear();
    tell.state(isEnding ? "ending" : "live");
    return isEnding ? opened.finish() : undefined;
  }

  async function start() {
    tell.state("connecting");
    try {
      await connect().catch((problem) => {
        if (way !== "webrtc" || problem.isFinal || isOver) throw problem;
        way = "websocket";
        tell.way(problem.message);
        return connect();
      });
    } catch (problem) {
      fail(problem);
    }
  }

  function take(frame) {
    if (isOver) return;
    if (frame.type === "delta") {
      if (frame.is_final) after = Math.max(after, frame.end);
      tell.delta(frame);
    } else if (frame.type === "error") refusal = frame;
    else if (frame.type === "closed") end(frame);
  }

  function lose() {
    transport = null;
    if (isOver) return;
    if (refusal && !MAY_PASS.includes(refusal.code)) fail(new Problem(refusal.message));
    else comeBack();
  }

  async function comeBack() {
    const until = Date.now() + GIVE_UP_MS;
    for (let tries = 0; !isOver; tries += 1) {
      tell.state("lost");
      refusal = null;
      await sleep(PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)]);
      if (isOver) return;
      try {
        await connect();
        return;
      } catch (problem) {
        if (problem.isGone) part();
        else if (problem.isFinal || Date.now() > until) fail(problem);
      }
    }
  }

  /** What the server had of it becomes a recording; what comes now is another. */
  function part() {
    if (isEnding) return end({});
    tell.parted();
    sessionId = null;
    after = 0;
    return tape.beginAnew();
  }

  function end(frame) {
    if (isOver) return;
    isOver = true;
    transport?.drop();
    tell.ended({ jobId: frame.job_id, reason: refusal?.message });
  }

  function fail(problem) {
    if (isOver) return;
    isOver = true;
    transport?.drop();
    tell.failed(problem.message || text("unreachable"));
  }

  start();
  return {
    hear(samples) {
      if (isOver || isEnding || transport?.kind === "webrtc") return;
      tape.add(samples);
      transport?.pump();
    },
    async finish() {
      if (isOver || isEnding) return;
      isEnding = true;
      if (!transport && !sessionId) return end({});
      tell.state("ending");
      setTimeout(() => end({}), LAST_WORDS_MS);
      await transport?.finish();
    },
  };
}
