// Search in the text: every hit is marked and counted, and one can go from one to the next.

import { paint, rangeOf, reveal } from "./marks.js";

/** More than this many are counted, but not painted. */
const PAINTED = 2000;
const WAIT_MS = 120;

export function find(article, box) {
  const [input, told] = [box.querySelector("input"), box.querySelector("output")];
  const [before, next] = box.querySelectorAll("button");
  let hits = [];
  let place = 0;
  let waiting = 0;

  function search() {
    hits = hitsOf(article, input.value);
    place = 0;
    paint("hit", hits.slice(0, PAINTED).map(rangeOfHit));
    before.disabled = next.disabled = !hits.length;
    show(false);
  }

  function show(scrolls = true) {
    const hit = hits[place];
    const range = hit && rangeOfHit(hit);
    paint("hit-now", range ? [range] : []);
    tell();
    if (range && scrolls) reveal(range.startContainer.parentElement);
  }

  function tell() {
    const shown = hits.length ? told.dataset.some.replace("{place}", place + 1).replace("{count}", hits.length) : told.dataset.none;
    told.textContent = input.value.trim() ? shown : "";
    input.setAttribute("aria-invalid", String(Boolean(input.value.trim()) && !hits.length));
  }

  function go(step) {
    if (!hits.length) return;
    place = (place + step + hits.length) % hits.length;
    show();
  }

  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { search(); if (hits.length) show(); }, WAIT_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") { input.value = ""; search(); }
  });
  before.addEventListener("click", () => go(-1));
  next.addEventListener("click", () => go(1));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}

/** {element, from, to} of every place of the words in a paragraph, letter case and the width of spaces aside. */
function hitsOf(article, words) {
  const wanted = words.trim().split(/\s+/).filter(Boolean).map((word) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  if (!wanted.length) return [];
  const pattern = new RegExp(wanted.join("\\s+"), "giu");
  return [...article.querySelectorAll(".paragraph p")].flatMap((element) =>
    [...element.textContent.matchAll(pattern)].map((found) => ({ element, from: found.index, to: found.index + found[0].length })));
}

const rangeOfHit = ({ element, from, to }) => rangeOf(element, from, to);
