// A socket that comes back: growing pauses between tries, at once when the network or the page returns.

const PAUSES_MS = [500, 1000, 2000, 4000, 8000, 15000];
const DENIED = { 4401: "signed_out", 4403: "denied", 4404: "gone" };

/**
 * Keeps a socket to `path()` open. `onMessage(message)`; `onState(state, reason)` with "connecting" | "open" | "lost" |
 * "denied". `path` is asked again for every try, so that it can say what the page already has.
 */
export function keepOpen({ path, onMessage, onState }) {
  let socket = null;
  let timer = 0;
  let failures = 0;
  let over = false;

  function connect() {
    clearTimeout(timer);
    if (over || socket) return;
    onState(failures ? "lost" : "connecting");
    const own = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path()}`);
    socket = own;
    own.addEventListener("open", () => onState("open"));
    own.addEventListener("message", (event) => {
      failures = 0;
      onMessage(JSON.parse(event.data));
    });
    own.addEventListener("close", (event) => {
      if (socket !== own) return;
      socket = null;
      if (event.code in DENIED) return stop(DENIED[event.code]);
      lose();
    });
  }

  function lose() {
    if (over) return;
    const pause = PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)];
    failures += 1;
    onState("lost");
    // Spread over a third, so that pages which lost the same server don't all come back in the same instant.
    timer = setTimeout(connect, pause * (1 + Math.random() / 3));
  }

  function stop(reason) {
    over = true;
    clearTimeout(timer);
    if (reason) onState("denied", reason);
    socket?.close();
  }

  addEventListener("online", connect);
  addEventListener("offline", () => {
    const dropped = socket;
    socket = null;
    dropped?.close();
    lose();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") connect();
  });
  connect();
  return { close: () => stop() };
}
