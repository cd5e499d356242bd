// Small steps on the document. Each writes only what differs, so that screen readers and the layout stay calm.

export function setText(element, value) {
  const shown = value ?? "";
  if (element && element.textContent !== shown) element.textContent = shown;
}

export function setHidden(element, hidden) {
  if (element && element.hidden !== hidden) element.hidden = hidden;
}

export function setData(element, name, value) {
  if (element && element.dataset[name] !== String(value)) element.dataset[name] = value;
}

export function setProgress(element, value) {
  if (element && element.value !== value) element.value = value;
}

/** A copy of <template id="…">'s only element. */
export const stamp = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/** The element that carries data-field="name" in `root`. */
export const field = (root, name) => root.querySelector(`[data-field="${name}"]`);
