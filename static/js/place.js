// Places in a recording, as addresses name them: "#t=83", "#t=83.5".

/** The second that an address asks for; null where it asks for none. */
export function secondAsked(hash = location.hash) {
  const found = /^#t=(\d{1,7}(?:\.\d{1,6})?)$/.exec(hash);
  return found ? Number(found[1]) : null;
}

/** The end of an address that leads to a second. */
export const hashOf = (seconds) => `#t=${Number(Math.max(0, seconds).toFixed(2))}`;
