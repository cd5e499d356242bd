// The samples that the server may not have yet, so that a lost connection costs no words.

const KEPT_SECONDS = 120;

/** `rate`: samples per second. Positions are bytes since the session began. */
export function makeTape(rate) {
  const mostBytes = 2 * rate * KEPT_SECONDS;
  let pieces = [];
  // Bytes since the microphone was opened: where the session began, where the pieces begin and end, what is sent next.
  let base = 0;
  let start = 0;
  let end = 0;
  let next = 0;

  return {
    add(samples) {
      pieces.push(samples);
      end += samples.byteLength;
      while (end - start > mostBytes) start += pieces.shift().byteLength;
      next = Math.max(next, start);
    },
    /** The next piece to be sent; undefined when all is. */
    take() {
      let at = start;
      for (const piece of pieces) {
        const from = next - at;
        at += piece.byteLength;
        if (at <= next) continue;
        next = at;
        return piece.subarray(from / 2);
      }
      return undefined;
    },
    /** The server has this much of the session: what comes behind it is to be sent. */
    rewind(bytes) {
      next = Math.min(end, Math.max(start, base + bytes));
    },
    /** Another session begins with what was not sent. */
    beginAnew() {
      base = next;
    },
    clear() {
      pieces = [];
      base = start = next = end;
    },
  };
}
