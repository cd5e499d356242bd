// Reads all segments in pieces, the first of them small, so that something is there at once.

const FIRST = 100;
const PIECE = 1000;
const TRIES = 3;
const PAUSE_MS = 2000;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The status of an answer that says no, or 0; null when it was read. */
export class Unread extends Error {
  constructor(status) {
    super(`The segments could not be read: ${status}`);
    this.status = status;
  }
}

async function piece(url, offset, limit) {
  for (let tries = 1; ; tries += 1) {
    let status = 0;
    try {
      const answer = await fetch(`${url}?offset=${offset}&limit=${limit}`, { headers: { Accept: "application/json" } });
      if (answer.ok) return await answer.json();
      ({ status } = answer);
    } catch {
      // Tried again below.
    }
    if (tries >= TRIES || (status >= 400 && status < 500 && status !== 429)) throw new Unread(status);
    await pause(PAUSE_MS * tries);
  }
}

/** All segments; `onPiece(segments)` is told each piece as it comes. */
export async function readAll(url, onPiece = () => {}) {
  const all = [];
  for (let offset = 0; offset !== null; ) {
    const { segments, next } = await piece(url, offset, offset ? PIECE : FIRST);
    all.push(...segments);
    onPiece(segments);
    offset = next;
  }
  return all;
}
