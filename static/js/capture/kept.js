// Recordings on this device, in pieces of a second, in IndexedDB: what was said before a crash is still there afterwards.

const DATABASE = "recordings";
let opened = null;

const promised = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("recordings", { keyPath: "id" });
      request.result.createObjectStore("pieces", { keyPath: ["id", "place"] });
    };
    request.onsuccess = () => {
      request.result.onclose = () => (opened = null);
      resolve(request.result);
    };
    request.onerror = () => {
      opened = null;
      reject(request.error);
    };
  });
  return opened;
}

/** Resolves when all that `work` asked for is on the disk. Rejects with QuotaExceededError when that is full. */
async function written(work) {
  const transaction = (await database()).transaction(["recordings", "pieces"], "readwrite", { durability: "strict" });
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  work(transaction.objectStore("recordings"), transaction.objectStore("pieces"));
  return ended;
}

const piecesOf = (id) => IDBKeyRange.bound([id, 0], [id, Infinity]);

/** Keeps one more piece, and how long the recording is with it. `recording` is {id, owner, type, startedAt, seconds}. */
export async function keep(recording, place, blob) {
  const piece = await blob.arrayBuffer();
  return written((recordings, pieces) => {
    recordings.put(recording);
    pieces.put({ id: recording.id, place, piece });
  });
}

export const forget = (id) =>
  written((recordings, pieces) => {
    recordings.delete(id);
    pieces.delete(piecesOf(id));
  });

/** Somebody's recordings that no page has in hand, oldest first. */
export async function unfinished(owner) {
  const transaction = (await database()).transaction("recordings");
  const all = await promised(transaction.objectStore("recordings").getAll());
  const held = new Set((await navigator.locks.query()).held.map((lock) => lock.name));
  return all.filter((one) => one.owner === owner && !held.has(lockOf(one.id))).sort((a, b) => a.startedAt - b.startedAt);
}

/** All pieces as one blob. */
export async function read({ id, type }) {
  const transaction = (await database()).transaction("pieces");
  const pieces = await promised(transaction.objectStore("pieces").getAll(piecesOf(id)));
  return new Blob(pieces.map((one) => one.piece), { type });
}

const lockOf = (id) => `recording:${id}`;

/** Says that this page has the recording in hand, so that no other offers it; the browser forgets that with the page. Returns what ends it. */
export function hold(id) {
  let release;
  navigator.locks.request(lockOf(id), () => new Promise((resolve) => (release = resolve)));
  return () => release?.();
}
