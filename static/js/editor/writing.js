// Keys, pasting and typing in the fields of the list.

import { caretAt } from "./pointing.js";
import { isAtEdge, selectionIn } from "./caret.js";
import { plain } from "./row.js";

/** `actions`: openSpeakers(row), heard(row, offset), playFrom(row), current(row), left(). */
export function wireWriting(root, rows, editor, actions) {
  const rowOf = (event) => rows.rowOf(event.target);

  root.addEventListener("input", (event) => {
    const row = rowOf(event);
    if (row && event.target === row.said) editor.type(row.id, row.text, { byUndo: /^history/.test(event.inputType) });
  });
  root.addEventListener("keydown", (event) => {
    const row = rowOf(event);
    if (!row || event.target !== row.said || event.isComposing) return;
    const run = actionFor(event, row);
    if (!run) return;
    event.preventDefault();
    run();
  });
  root.addEventListener("focusin", (event) => {
    const row = rowOf(event);
    if (row) actions.current(row);
  });
  root.addEventListener("focusout", () => actions.left());
  root.addEventListener("paste", (event) => {
    const row = rowOf(event);
    if (event.target.closest?.("textarea") || !row) return;
    event.preventDefault();
    insert(plain(event.clipboardData.getData("text/plain")));
  });
  root.addEventListener("drop", (event) => {
    if (!event.target.closest?.("textarea")) event.preventDefault();
  });
  root.addEventListener("click", (event) => {
    const row = rowOf(event);
    if (!row) return;
    if (row.time.contains(event.target)) actions.playFrom(row);
    else if (row.who.contains(event.target)) actions.openSpeakers(row);
    else if (event.target.closest("[data-act=accept]")) editor.accept(row.id);
    else if (row.said.contains(event.target) && !event.shiftKey && getSelection().isCollapsed) actions.heard(row, caretAt(row.said, event));
  });

  function actionFor(event, row) {
    const selected = selectionIn(row.said);
    if (!selected) return null;
    const isPoint = selected.from === selected.to;
    const mod = event.ctrlKey || event.metaKey;
    switch (event.key) {
      case "Enter":
        if (mod) return () => editor.insertBelow(row.id);
        return isPoint ? () => editor.split(row.id, selected.from, row.text) : () => {};
      case "Backspace":
        return isPoint && selected.from === 0 && !event.altKey ? () => editor.mergeUp(row.id) : null;
      case "Delete":
        if (mod) return () => editor.remove(row.id);
        return isPoint && selected.from === row.text.length ? () => editor.mergeDown(row.id) : null;
      case "ArrowUp":
      case "ArrowDown":
        return !mod && !event.altKey && !event.shiftKey ? upOrDown(event, row, selected) : null;
      case "ArrowLeft":
      case "ArrowRight":
        return event.altKey && !mod ? () => nudge(event, row) : null;
      default:
        return mod && !event.altKey ? history(event, row) : null;
    }
  }

  function upOrDown(event, row, selected) {
    const isUp = event.key === "ArrowUp";
    if (!isAtEdge(row.said, isUp ? "up" : "down")) return null;
    const near = editor.model.list[editor.model.place(row.id) + (isUp ? -1 : 1)];
    return near ? () => editor.go(near.id, isUp ? near.text.length : Math.min(selected.from, 0)) : null;
  }

  function nudge(event, row) {
    const edge = event.shiftKey ? "end" : "start";
    editor.nudge(row.id, edge, event.key === "ArrowLeft" ? -1 : 1);
  }

  /** While something typed was not sent yet, the field takes back by itself what was typed last. */
  function history(event, row) {
    const key = event.key.toLowerCase();
    const isUndo = key === "z" && !event.shiftKey;
    const isRedo = (key === "z" && event.shiftKey) || key === "y";
    if (isUndo && !editor.isTyping(row.id)) return () => editor.undo();
    if (isRedo && editor.undoing.canRedo) return () => editor.redo();
    return null;
  }
}

/** As if it were typed, so that the field's own undo knows of it. */
function insert(words) {
  document.execCommand("insertText", false, words);
}
