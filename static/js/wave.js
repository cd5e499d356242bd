// The shape of the sound over the seek bar, drawn by wavesurfer.js from peaks that the server has computed.

// Only styles with the nonce of this page's own answer are let in.
const { nonce = "" } = document.querySelector("[data-player]") ?? {};
const drawn = new WeakSet();

/** Draws it where the page says that there is one. Without it, or without the component, the seek bar stands alone. */
export async function drawWave(box, player) {
  const place = box.querySelector("[data-field=wave]");
  const { waveform, waveScript } = box.dataset;
  if (!place || !waveform || !waveScript || drawn.has(box)) return;
  drawn.add(box);
  try {
    await idle();
    const [answer, component] = await Promise.all([fetch(waveform, { headers: { Accept: "application/json" } }), import(waveScript)]);
    if (!answer.ok || answer.redirected) throw new Error(`no waveform: ${answer.status}`);
    show(place, player, await answer.json(), component.default);
  } catch {
    drawn.delete(box); // Not decoded yet, or not reached; it is asked for again when the page hears more.
  }
}

const idle = () => new Promise((done) => ("requestIdleCallback" in globalThis ? requestIdleCallback(done, { timeout: 2000 }) : setTimeout(done, 200)));

function show(place, player, { peaks, per_second }, WaveSurfer) {
  const wave = WaveSurfer.create({
    container: place,
    media: player.media,
    peaks: [Float32Array.from(peaks, (peak) => peak / 255)],
    duration: player.duration || peaks.length / per_second,
    height: place.clientHeight || 48,
    normalize: true,
    barWidth: 2,
    barGap: 1,
    barRadius: 1,
    cursorWidth: 2,
    dragToSeek: true,
    hideScrollbar: true,
    cspNonce: nonce,
    ...colours(place),
  });
  const paint = () => wave.setOptions(colours(place));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  wave.once("ready", () => (player.wave = wave));
  new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

/** A canvas takes no variables: what they are now. */
function colours(place) {
  const style = getComputedStyle(place);
  return { waveColor: style.color, progressColor: style.accentColor, cursorColor: style.accentColor };
}
