// The library: what is found while it is typed, choosing by mouse and keyboard, all through the page's own address.

import { field, setHidden, setText } from "./dom.js";
import { localiseTimes } from "./format.js";
import { keys } from "./keys.js";
import { text } from "./texts.js";
import "./undo.js";

const TYPING_MS = 250;
const search = document.getElementById("search");
const results = document.getElementById("results");
const problem = document.getElementById("library-error");
let typing = 0;
let asked = null;
let anchor = null;

// --- searching -------------------------------------------------------------------------------------

/** What the form asks for, without what is empty. */
function query() {
  const told = [...new FormData(search)].filter(([, value]) => value.trim());
  return new URLSearchParams(told).toString();
}

async function show() {
  clearTimeout(typing);
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  const address = query() ? `${location.pathname}?${query()}` : location.pathname;
  history.replaceState(null, "", address);
  results.setAttribute("aria-busy", "true");
  try {
    put(await part(address, signal));
    tell("");
  } catch (error) {
    if (!signal.aborted) tell(error.message);
  } finally {
    if (!signal.aborted) results.removeAttribute("aria-busy");
  }
}

async function part(address, signal) {
  let answer;
  try {
    answer = await fetch(address, { headers: { "X-Library-Part": "1" }, signal });
  } catch {
    throw new Error(text("unreachable"));
  }
  // Whoever is signed out is led to another page.
  if (answer.redirected) throw new Error(text("signed_out"));
  if (!answer.ok) throw new Error(text("server_error"));
  return answer.text();
}

function put(html) {
  const chosen = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
  const read = new DOMParser().parseFromString(html, "text/html");
  results.replaceChildren(...read.body.childNodes);
  for (const box of boxes()) box.checked = chosen.has(box.value);
  localiseTimes(results);
  count();
  const found = boxes().length;
  setText(document.getElementById("library-status"), found ? text("library_found", { n: found }) : text("library_none"));
}

function tell(sentence) {
  setText(field(problem, "sentence"), sentence);
  setHidden(problem, !sentence);
}

search.addEventListener("input", (event) => {
  if (event.target.name !== "q" && event.target.name !== "owner") return;
  clearTimeout(typing);
  typing = setTimeout(show, TYPING_MS);
});
search.addEventListener("change", (event) => {
  if (event.target.name !== "q" && event.target.name !== "owner") show();
});
search.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});
document.getElementById("library-retry").addEventListener("click", show);

// --- choosing --------------------------------------------------------------------------------------

const boxes = () => [...results.querySelectorAll('input[name="jobs"]')];

function count() {
  const all = boxes();
  if (!all.length) return;
  const chosen = all.filter((box) => box.checked).length;
  const every = document.getElementById("all");
  every.checked = chosen === all.length;
  every.indeterminate = chosen > 0 && chosen < all.length;
  setText(document.getElementById("count"), text("library_chosen", { n: chosen }));
  for (const button of results.querySelectorAll(".bulk button:not([data-always])")) button.disabled = chosen === 0;
}

/** With Shift everything between the last box and this one becomes like this one. */
function choose(box, withShift) {
  const all = boxes();
  const [from, to] = [all.indexOf(anchor), all.indexOf(box)].sort((one, other) => one - other);
  if (withShift && from >= 0) for (const one of all.slice(from, to + 1)) one.checked = box.checked;
  anchor = box;
  count();
}

results.addEventListener("click", (event) => {
  if (event.target.id === "all") {
    for (const box of boxes()) box.checked = event.target.checked;
    count();
  } else if (event.target.name === "jobs") choose(event.target, event.shiftKey);
});
results.addEventListener("submit", (event) => {
  const sure = { delete: "library_delete_sure", empty: "library_empty_sure" }[event.submitter?.value];
  if (sure && !confirm(text(sure))) event.preventDefault();
});

// --- keys ------------------------------------------------------------------------------------------

const rows = () => [...results.querySelectorAll(".find-row")];
const handle = (row) => row?.querySelector(".find-title a") ?? row?.querySelector('input[name="jobs"]');
const here = () => rows().findIndex((row) => row.contains(document.activeElement));

function move(by) {
  const all = rows();
  const at = here();
  handle(all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)])?.focus();
}

keys([
  { keys: "/", name: text("key_search"), run: () => document.getElementById("find_q").select() },
  { keys: "j", name: text("key_next_row"), run: () => move(1) },
  { keys: "k", name: text("key_previous_row"), run: () => move(-1) },
  {
    keys: "x",
    name: text("key_choose"),
    run: (event) => {
      const box = rows()[here()]?.querySelector('input[name="jobs"]');
      if (!box) return;
      box.checked = !box.checked;
      choose(box, event.shiftKey);
    },
  },
]);

count();
