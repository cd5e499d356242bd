// In the browser's audio thread: what the microphone hears as 16-bit samples, a tenth of a second together.

const MOST_PER_SECOND = 48_000;

class Samples extends AudioWorkletProcessor {
  constructor() {
    super();
    // Of a faster microphone every second one is enough for speech.
    this.every = Math.ceil(sampleRate / MOST_PER_SECOND);
    this.batch = new Int16Array(Math.floor(sampleRate / this.every / 10));
    this.filled = 0;
    this.at = 0;
  }

  process([input]) {
    for (const sample of input[0] ?? []) {
      if (this.at++ % this.every) continue;
      this.batch[this.filled++] = Math.max(-1, Math.min(1, sample)) * 32_767;
      if (this.filled === this.batch.length) this.hand();
    }
    return true;
  }

  hand() {
    const { buffer } = this.batch;
    this.batch = new Int16Array(this.batch.length);
    this.filled = 0;
    this.port.postMessage(buffer, [buffer]);
  }
}

registerProcessor("samples", Samples);
