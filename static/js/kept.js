// What this browser keeps for a visitor. Where it may keep nothing, or holds something else, everything starts afresh.

export function kept(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Full, or not allowed.
  }
}
