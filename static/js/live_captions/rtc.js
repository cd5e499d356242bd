// Sound over WebRTC, words over the session's control socket.

import { text } from "../texts.js";
import { call, Problem, problemOf, socketAddress } from "./problems.js";

/** Until sound flows. A network that lets no packets through never says so. */
const CONNECT_MS = 6000;
const GATHER_MS = 1000;
/** A moment without packets is nothing yet. */
const BROKEN_MS = 4000;
/** What is said last is on its way for a moment. */
const TAIL_MS = 500;

export const isPossible = () => Boolean(globalThis.RTCPeerConnection);

/**
 * Opens a session, or comes back to `sessionId`. Resolves when sound flows, with {sessionId, finish, drop}; rejects with a
 * Problem. `onMessage(frame)` gets what is final after second `after` and all that follows; `onLost()` is called once when the
 * connection breaks afterwards.
 */
export async function open({ urls, stream, options, sessionId, after, onMessage, onLost }) {
  const session = sessionId ? { session_id: sessionId, ice_servers: [] } : await call("POST", urls.sessions_url, options);
  const path = `${urls.sessions_url}/${session.session_id}`;
  const peer = new RTCPeerConnection({ iceServers: session.ice_servers });
  let control = null;
  let broken = 0;
  let isOver = false;

  function drop() {
    isOver = true;
    clearTimeout(broken);
    peer.close();
    control?.close();
  }

  function lose() {
    if (isOver) return;
    drop();
    onLost();
  }

  try {
    for (const track of stream.getAudioTracks()) peer.addTrack(track, stream);
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer);
    const { sdp } = await call("POST", `${path}/offer`, { type: "offer", sdp: peer.localDescription.sdp });
    await peer.setRemoteDescription({ type: "answer", sdp });
    control = listen(`${path}/control?after=${after}`, (frame) => isOver || onMessage(frame));
    await Promise.all([connected(peer), control.opened]);
  } catch (error) {
    drop();
    if (!sessionId) call("DELETE", path).catch(() => {});
    throw error instanceof Problem ? error : new Problem(text("captions_no_webrtc"));
  }
  control.closed.then(lose);
  peer.addEventListener("connectionstatechange", () => {
    clearTimeout(broken);
    if (["failed", "closed"].includes(peer.connectionState)) lose();
    else if (peer.connectionState === "disconnected") broken = setTimeout(lose, BROKEN_MS);
  });

  async function finish() {
    await new Promise((done) => setTimeout(done, TAIL_MS));
    control.send({ type: "close" });
  }
  return { kind: "webrtc", sessionId: session.session_id, finish, drop };
}

/** With its own addresses in it an offer is enough: none need be sent after it. */
function gathered(peer) {
  return new Promise((resolve) => {
    if (peer.iceGatheringState === "complete") return resolve();
    peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && resolve());
    setTimeout(resolve, GATHER_MS);
  });
}

function connected(peer) {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (peer.connectionState === "connected") resolve();
      else if (["failed", "closed"].includes(peer.connectionState)) reject(new Problem(text("captions_no_webrtc")));
    };
    peer.addEventListener("connectionstatechange", look);
    setTimeout(() => reject(new Problem(text("captions_no_webrtc"))), CONNECT_MS);
    look();
  });
}

/** `opened` and `closed` are promises; the first rejects with a Problem. */
function listen(path, onMessage) {
  const socket = new WebSocket(socketAddress(path));
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  const opened = new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    closed.then(() => reject(new Problem(text("unreachable"))));
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === "error") reject(problemOf(frame));
      onMessage(frame);
    });
  });
  const send = (frame) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(frame));
  return { opened, closed, send, close: () => socket.close() };
}
