// The microphone: a MediaRecorder that hands over a piece each second, how long it has listened, and how loud it is now.

const PIECE_MS = 1000;
const BITS_PER_SECOND = 64_000;
const QUIETEST_DB = -60;
const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];

/** A key of the page's texts for what `getUserMedia` refused with. */
export function problemOf(error) {
  const known = { NotAllowedError: "mic_denied", SecurityError: "mic_denied", NotFoundError: "mic_missing", NotReadableError: "mic_busy" };
  return known[error.name] ?? "mic_failed";
}

export const isPossible = () => Boolean(navigator.mediaDevices?.getUserMedia && globalThis.MediaRecorder && navigator.locks && globalThis.indexedDB);

/** Asks for the microphone and listens. `onPiece(blob)` gets each piece, `onEnd()` is called after the last one. Rejects as getUserMedia does. */
export async function listen({ onPiece, onEnd }) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: true, autoGainControl: true } });
  const type = TYPES.find((one) => MediaRecorder.isTypeSupported(one));
  const recorder = new MediaRecorder(stream, { ...(type && { mimeType: type }), audioBitsPerSecond: BITS_PER_SECOND });
  const level = levelOf(stream);
  const clock = stopwatch();
  recorder.addEventListener("dataavailable", ({ data }) => data.size && onPiece(data));
  recorder.addEventListener("stop", () => {
    for (const track of stream.getTracks()) track.stop();
    level.close();
    onEnd();
  });
  // The microphone was unplugged, or taken away in the browser's settings.
  stream.getAudioTracks()[0].addEventListener("ended", () => stop());
  const stop = () => {
    clock.stop();
    if (recorder.state !== "inactive") recorder.stop();
  };
  recorder.start(PIECE_MS);
  clock.start();
  return {
    type: (recorder.mimeType || type || "audio/webm").split(";")[0],
    stop,
    get seconds() {
      return clock.seconds;
    },
    get isPaused() {
      return recorder.state === "paused";
    },
    pause() {
      clock.stop();
      recorder.requestData();
      recorder.pause();
    },
    resume() {
      recorder.resume();
      clock.start();
    },
    level: () => (recorder.state === "recording" ? level.now() : 0),
  };
}

function stopwatch() {
  let before = 0;
  let since = null;
  const running = () => (since === null ? 0 : performance.now() - since);
  return {
    start: () => (since ??= performance.now()),
    stop() {
      before += running();
      since = null;
    },
    get seconds() {
      return (before + running()) / 1000;
    },
  };
}

/** 0 for silence to 1 for as loud as can be, on a scale of decibels as ears hear it. */
function levelOf(stream) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    close: () => context.close(),
    now() {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
      return Math.min(1, Math.max(0, 1 - (10 * Math.log10(power + 1e-12)) / QUIETEST_DB));
    },
  };
}
