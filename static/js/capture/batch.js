// Several recordings at once: a row each with its own progress, two on their way at a time, and each can be tried again.

import { field, setData, setHidden, setProgress, setText, stamp } from "../dom.js";
import { bytes, percent } from "../format.js";
import { text } from "../texts.js";

const AT_ONCE = 2;
// What the server says when nothing more fits: what waits is not sent in vain.
const LIMITS = ["too_many_jobs", "quota_exceeded"];
const PAUSE_MS = 5000;
const CLOSED = ["done", "refused"];
const SENTENCES = {
  chosen: "batch_chosen",
  waiting: "batch_waiting",
  sending: "batch_sending",
  done: "batch_done",
  failed: "batch_failed",
  refused: "batch_refused",
};

/**
 * `send(item, on)` sends one and returns {done, cancel}; `problemOf(item)` tells why one can't be sent, if it can't;
 * `onChange()` is called when rows come, go or end.
 */
export function makeBatch({ place, send, problemOf, onChange }) {
  const list = place.querySelector("ul");
  let rows = [];
  let started = false;

  const count = (...states) => rows.filter((row) => states.includes(row.state)).length;

  function add(item) {
    const element = stamp("batch-row");
    const row = { item, element, state: "chosen", running: null };
    setText(field(element, "name"), item.name);
    setText(field(element, "size"), item.file ? bytes(item.file.size) : "");
    for (const name of ["remove", "retry"]) {
      const button = field(element, name);
      button.setAttribute("aria-label", `${button.textContent.trim()}: ${item.name}`);
    }
    field(element, "progress").setAttribute("aria-label", item.name);
    field(element, "remove").addEventListener("click", () => remove(row));
    field(element, "retry").addEventListener("click", () => retry([row]));
    rows.push(row);
    list.append(element);
    const problem = problemOf(item);
    show(row, problem ? "refused" : started ? "waiting" : "chosen", problem);
  }

  function show(row, state, sentence = "") {
    row.state = state;
    setData(row.element, "state", state);
    setText(field(row.element, "state"), sentence || text(SENTENCES[state]));
    setHidden(field(row.element, "progress"), state !== "sending" || !row.item.file);
    setHidden(field(row.element, "retry"), state !== "failed");
    setHidden(field(row.element, "remove"), state === "done");
    summarise();
  }

  function summarise() {
    const [done, all, failed] = [count("done"), rows.length, count("failed")];
    setHidden(place, !all);
    setText(field(place, "summary"), started ? text("batch_summary", { done, total: all }) : text("batch_chosen_all", { total: all }));
    setHidden(field(place, "retry-all"), failed < 2);
    setHidden(field(place, "clear"), !all || isBusy());
    onChange();
  }

  const isBusy = () => count("sending", "waiting") > 0;

  /** One that is on its way is stopped; its file stays on the device in any case. */
  function remove(row) {
    row.running?.cancel();
    rows = rows.filter((one) => one !== row);
    const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
    row.element.remove();
    row.item.dropped?.();
    (next ? field(next, "remove") : document.getElementById("id_media_file")).focus();
    summarise();
    advance();
  }

  function retry(some) {
    for (const row of some) show(row, "waiting");
    advance();
  }

  function advance() {
    if (!started) return;
    for (const row of rows) {
      if (count("sending") >= AT_ONCE) return;
      if (row.state === "waiting") run(row);
    }
  }

  async function run(row) {
    show(row, "sending");
    const onProgress = ({ sent, total }) => {
      setProgress(field(row.element, "progress"), total ? (100 * sent) / total : 0);
      setText(field(row.element, "state"), sent < total ? percent((100 * sent) / total) : text("upload_checking"));
    };
    const onWaiting = () => setText(field(row.element, "state"), text("upload_waiting"));
    row.running = send(row.item, { onProgress, onWaiting });
    try {
      const { job } = await row.running.done;
      arrived(row, job);
    } catch (error) {
      await failed(row, error);
    }
    row.running = null;
    advance();
  }

  function arrived(row, job) {
    show(row, "done");
    const link = Object.assign(document.createElement("a"), { href: job.url, textContent: row.item.name });
    field(row.element, "name").replaceChildren(link);
    row.item.made?.();
    document.dispatchEvent(new CustomEvent("job:submitted", { detail: job }));
  }

  async function failed(row, error) {
    if (!rows.includes(row)) return;
    // Too many requests in a minute pass by themselves.
    if (error.status === 429 && !LIMITS.includes(error.code)) {
      setText(field(row.element, "state"), text("batch_waiting"));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      if (rows.includes(row)) show(row, "waiting");
      return;
    }
    show(row, "failed", Object.values(error.errors ?? {}).flat().join(" ") || error.message);
    if (LIMITS.includes(error.code)) for (const one of rows) if (one.state === "waiting") show(one, "failed", text("batch_held"));
  }

  function clear() {
    for (const { element, item, state } of rows) {
      element.remove();
      if (state !== "done") item.dropped?.();
    }
    rows = [];
    started = false;
    summarise();
  }

  field(place, "retry-all").addEventListener("click", () => retry(rows.filter((row) => row.state === "failed")));
  field(place, "clear").addEventListener("click", clear);

  return {
    add,
    clear,
    isBusy,
    get size() {
      return rows.length;
    },
    /** Whether there is anything that would be lost with the page. */
    get isOpen() {
      return rows.some((row) => !CLOSED.includes(row.state));
    },
    get isStarted() {
      return started;
    },
    start() {
      started = true;
      retry(rows.filter((row) => row.state === "chosen"));
    },
  };
}
