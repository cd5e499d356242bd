// The microphone of a live session: its stream for WebRTC, its samples for a WebSocket, and how loud it is now.

const WANTED_RATE = 16_000;
const FASTEST_RATE = 48_000;
const QUIETEST_DB = -60;

export const isPossible = () => Boolean(navigator.mediaDevices?.getUserMedia && globalThis.AudioWorkletNode && globalThis.WebSocket);

/** The microphones there are: [{id, name}]; without names until the page was allowed to listen. */
export async function list() {
  const devices = await (navigator.mediaDevices?.enumerateDevices?.() ?? []);
  return devices.filter(({ kind, deviceId }) => kind === "audioinput" && deviceId).map(({ deviceId, label }) => ({ id: deviceId, name: label }));
}

/** `onSamples(Int16Array)` ten times a second; `onEnd()` when it was unplugged or taken away. Rejects as getUserMedia does. */
export async function open({ id, workletUrl, onSamples, onEnd }) {
  const audio = { channelCount: 1, echoCancellation: false, noiseSuppression: true, autoGainControl: true };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...audio, ...(id && { deviceId: { exact: id } }) } });
  const { context, source } = sourceOf(stream);
  let loudness = 0;
  try {
    await context.audioWorklet.addModule(workletUrl);
    await context.resume();
  } catch (error) {
    close();
    throw error;
  }
  const node = new AudioWorkletNode(context, "samples", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  node.port.addEventListener("message", ({ data }) => {
    const samples = new Int16Array(data);
    loudness = loudnessOf(samples);
    onSamples(samples);
  });
  node.port.start();
  source.connect(node);
  stream.getAudioTracks()[0].addEventListener("ended", onEnd);

  function close() {
    for (const track of stream.getTracks()) track.stop();
    if (context.state !== "closed") context.close();
  }
  return { stream, rate: rateOf(context), close, level: () => loudness };
}

/** Browsers that can't convert a microphone to another rate refuse; then it is heard at its own. */
function sourceOf(stream) {
  const slow = new AudioContext({ sampleRate: WANTED_RATE });
  try {
    return { context: slow, source: slow.createMediaStreamSource(stream) };
  } catch {
    slow.close();
    const context = new AudioContext();
    return { context, source: context.createMediaStreamSource(stream) };
  }
}

const rateOf = ({ sampleRate }) => Math.round(sampleRate / Math.ceil(sampleRate / FASTEST_RATE));

/** 0 for silence to 1 for as loud as can be, on a scale of decibels as ears hear it. */
function loudnessOf(samples) {
  const power = samples.reduce((sum, one) => sum + (one / 32_768) ** 2, 0) / Math.max(1, samples.length);
  return Math.min(1, Math.max(0, 1 - (10 * Math.log10(power + 1e-12)) / QUIETEST_DB));
}
