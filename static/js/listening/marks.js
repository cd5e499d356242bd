// Marks on words that leave the document as it is: the browser's own highlights, which css/job.css colours by name.

const registry = globalThis.Highlight && globalThis.CSS?.highlights;

/** Puts the mark `name` on these ranges and takes it off all others. Browsers without highlights show none. */
export function mark(name, ranges) {
  if (!registry) return;
  const there = ranges.filter(Boolean);
  if (there.length) registry.set(name, new Highlight(...there));
  else registry.delete(name);
}
