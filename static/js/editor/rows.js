// The list of segments. Only what is near the screen has rows; the rest is blocks of about the height that they will have.

import { selectionIn } from "./caret.js";
import { Row } from "./row.js";

const BLOCK = 40;
const LARGEST_BLOCK = 80;
const MARGIN = "1200px 0px";
const ROW_PIXELS = 52;
const LINE_PIXELS = 26;

/** Segments in blocks; where a block began before, one begins again, so that a change moves no other block. */
export function blocksOf(list, firsts) {
  const blocks = [];
  for (const segment of list) {
    const last = blocks.at(-1);
    const begins = firsts.has(segment.id) && last?.length >= BLOCK / 4;
    if (!last || begins || last.length >= LARGEST_BLOCK || (!firsts.size && last.length >= BLOCK)) blocks.push([segment]);
    else last.push(segment);
  }
  return blocks;
}

export class Rows {
  #root;
  #blocks = new Map();
  #rows = new Map();
  #seen;
  /** Rows came onto the page that were not there when it was shown. */
  opened = () => {};

  /** `context`: speaker(label), place(id), count(). */
  constructor(root, context) {
    [this.#root, this.context] = [root, context];
    this.#seen = new IntersectionObserver((entries) => this.#look(entries), { rootMargin: MARGIN });
  }

  row(id) {
    return this.#rows.get(id) ?? null;
  }

  rowOf(element) {
    const found = element?.closest?.(".segment");
    return found ? this.#rows.get(idOf(found.dataset.id)) : null;
  }

  /** Those on the page now. */
  get shown() {
    return this.#rows.values();
  }

  /** Shows this list; rows of segments that are the same keep their elements. */
  show(list) {
    const written = this.rowOf(document.activeElement);
    const caret = written && document.activeElement === written.said ? selectionIn(written.said) : null;
    this.#arrange(list);
    const row = caret && this.row(written.id);
    if (row && document.activeElement !== row.said) row.focus(caret.from);
  }

  #arrange(list) {
    const wanted = blocksOf(list, new Set(this.#blocks.keys()));
    const kept = new Map();
    let before = null;
    for (const segments of wanted) {
      const key = segments[0].id;
      const block = this.#blocks.get(key) ?? this.#newBlock();
      block.segments = segments;
      kept.set(key, block);
      if (before ? before.element.nextSibling !== block.element : this.#root.firstChild !== block.element) {
        if (before) before.element.after(block.element);
        else this.#root.prepend(block.element);
      }
      before = block;
    }
    for (const [key, block] of this.#blocks) if (kept.get(key) !== block) this.#removeBlock(block);
    this.#blocks = kept;
    for (const block of kept.values()) {
      if (block.isOpen) this.#fill(block);
      else this.#estimate(block);
    }
  }

  /** The server has given another id to a segment. */
  rename(from, to) {
    const row = this.#rows.get(from);
    if (row) {
      this.#rows.delete(from);
      this.#rows.set(to, row);
    }
    const block = this.#blocks.get(from);
    if (!block) return;
    this.#blocks.delete(from);
    this.#blocks.set(to, block);
  }

  /** The row of a segment, made now if it is far away. */
  bring(id) {
    for (const block of this.#blocks.values()) {
      if (block.segments.some((one) => one.id === id)) {
        this.#open(block);
        break;
      }
    }
    return this.row(id);
  }

  #newBlock() {
    const element = document.createElement("div");
    element.className = "block";
    element.setAttribute("role", "presentation");
    const block = { element, segments: [], isOpen: false, rows: [] };
    element.block = block;
    this.#seen.observe(element);
    return block;
  }

  #removeBlock(block) {
    this.#seen.unobserve(block.element);
    for (const row of block.rows) if (this.#rows.get(row.id) === row && !row.element.isConnected) this.#rows.delete(row.id);
    block.element.remove();
    for (const [id, row] of this.#rows) if (!row.element.isConnected) this.#rows.delete(id);
  }

  #look(entries) {
    for (const { target, isIntersecting } of entries) {
      if (!target.isConnected) continue;
      if (isIntersecting) this.#open(target.block);
      else this.#close(target.block);
    }
  }

  #open(block) {
    if (block.isOpen) return;
    block.isOpen = true;
    block.element.style.blockSize = "";
    this.#fill(block);
    this.opened();
  }

  #close(block) {
    if (!block.isOpen || block.element.contains(document.activeElement) || block.element.querySelector(".clash")) return;
    const { height } = block.element.getBoundingClientRect();
    block.isOpen = false;
    block.element.replaceChildren();
    for (const row of block.rows) if (this.#rows.get(row.id) === row) this.#rows.delete(row.id);
    block.rows = [];
    block.element.style.blockSize = `${height}px`;
  }

  #estimate(block) {
    const perLine = Math.max(20, this.#root.clientWidth / 11);
    const height = block.segments.reduce((sum, { text }) => sum + ROW_PIXELS + LINE_PIXELS * Math.floor(text.length / perLine), 0);
    block.element.style.blockSize = `${height}px`;
  }

  #fill(block) {
    const wanted = block.segments.map((segment) => this.#rowFor(segment));
    const stays = new Set(wanted);
    for (const row of block.rows) {
      if (stays.has(row) || row.element.parentElement !== block.element) continue;
      row.element.remove();
      if (this.#rows.get(row.id) === row) this.#rows.delete(row.id);
    }
    block.rows = wanted;
    wanted.forEach((row, place) => {
      const there = block.element.children[place];
      if (there !== row.element) block.element.insertBefore(row.element, there ?? null);
    });
  }

  #rowFor(segment) {
    const row = this.#rows.get(segment.id);
    if (!row) {
      const made = new Row(segment, this.context);
      this.#rows.set(segment.id, made);
      return made;
    }
    row.update(segment, this.context);
    return row;
  }
}

/** The id of a segment from an attribute: a number, unless it was made here. */
export const idOf = (written) => (/^\d+$/.test(written) ? Number(written) : written);
