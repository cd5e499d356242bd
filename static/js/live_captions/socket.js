// Sound and words over one WebSocket: 16-bit samples out, frames of words in.

import { text } from "../texts.js";
import { Problem, problemOf, socketAddress } from "./problems.js";

const READY_MS = 15_000;
/** More than this waits on the tape rather than in the browser. */
const MOST_WAITING_BYTES = 256 * 1024;
const DENIED = { 4401: "signed_out", 4403: "denied" };

/**
 * Opens a session, or comes back to `sessionId`. Resolves when the server is ready, with {sessionId, pump, finish, drop};
 * `pump()` sends what the tape has. Rejects with a Problem.
 */
export function open({ urls, tape, rate, options, sessionId, after, onMessage, onLost }) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(socketAddress(urls.stream_url));
    let problem = null;
    let isOpen = false;
    let isOver = false;
    const patience = setTimeout(drop, READY_MS);

    function drop() {
      isOver = true;
      socket.close();
      if (!isOpen) reject(new Problem(text("unreachable")));
    }

    function pump() {
      // A socket that is lost closes a while before it says so; what it takes meanwhile is lost with it.
      while (isOpen && socket.readyState === WebSocket.OPEN && socket.bufferedAmount < MOST_WAITING_BYTES) {
        const samples = tape.take();
        if (!samples) return;
        socket.send(samples);
      }
    }

    /** What waits goes first; then no more sound comes. */
    function finish() {
      pump();
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "close" }));
    }

    socket.addEventListener("open", () => {
      const coming = sessionId ? { resume: sessionId, after } : {};
      socket.send(JSON.stringify({ type: "open", media_type: "audio/pcm", sample_rate: rate, ...options, ...coming }));
    });
    socket.addEventListener("message", ({ data }) => {
      if (isOver) return;
      const frame = JSON.parse(data);
      if (frame.type === "error") problem = problemOf(frame);
      else if (frame.type === "ready") begin(frame);
      onMessage(frame);
    });
    socket.addEventListener("close", ({ code }) => {
      clearTimeout(patience);
      if (isOver) return;
      isOver = true;
      if (isOpen) return onLost();
      const denied = DENIED[code] && new Problem(text(DENIED[code]), { isFinal: true });
      reject(problem ?? denied ?? new Problem(text("unreachable"), { isGone: Boolean(sessionId) && code >= 4400 }));
    });

    function begin(frame) {
      clearTimeout(patience);
      isOpen = true;
      tape.rewind(frame.audio_bytes ?? 0);
      resolve({ kind: "websocket", sessionId: frame.session_id ?? sessionId, pump, finish, drop });
      pump();
    }
  });
}
