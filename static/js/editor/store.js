// Changes that are not saved yet, kept in IndexedDB so that they outlive the page. One row per change, named by its `key`.

const NAME = "tools-whisper-editor";
const ROWS = "changes";

function asked(request) {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
    request.addEventListener("blocked", () => reject(new Error("blocked")));
  });
}

function opened() {
  const request = indexedDB.open(NAME, 1);
  request.addEventListener("upgradeneeded", () => {
    request.result.createObjectStore(ROWS, { keyPath: "key" }).createIndex("scope", "scope");
  });
  return asked(request);
}

export class Store {
  #database = null;

  /** False where the browser keeps nothing; then changes live as long as the page. */
  get keeps() {
    return this.#database !== null;
  }

  async open() {
    try {
      this.#database = await opened();
      this.#database.addEventListener("versionchange", () => this.#database?.close());
    } catch {
      this.#database = null;
    }
  }

  async all(scope) {
    if (!this.keeps) return [];
    return asked(this.#database.transaction(ROWS).objectStore(ROWS).index("scope").getAll(scope));
  }

  /** Writes and removes in one transaction. Rejects when the disk is full. */
  write(changed, removed = []) {
    if (!this.keeps) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction(ROWS, "readwrite", { durability: "strict" });
      const rows = transaction.objectStore(ROWS);
      for (const { key } of removed) rows.delete(key);
      for (const change of changed) rows.put(change);
      transaction.addEventListener("complete", () => resolve());
      transaction.addEventListener("error", () => reject(transaction.error));
      transaction.addEventListener("abort", () => reject(transaction.error));
    });
  }
}
