// The page's texts and start data, which the server puts into JSON elements in the reader's language.

export function data(id) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : null;
}

const texts = data("texts") ?? {};

/** The text `key` with its {places} filled. */
export function text(key, values = {}) {
  const found = texts[key] ?? key;
  return found.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

/** The label of a code in a table such as "status"; the server's own label where the table lacks it. */
export function label(table, code, fallback = code) {
  return texts[table]?.[code] ?? fallback;
}
