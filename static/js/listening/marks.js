// Marks on words that leave the document as it is: the browser's own highlights, which css/job.css colours by name.

const registry = globalThis.Highlight && globalThis.CSS?.highlights;

/** Puts the mark `name` on these ranges and takes it off all others. Of two, the one with the higher priority lies on top. */
export function mark(name, ranges, priority = 0) {
  if (!registry) return;
  const there = ranges.filter(Boolean);
  if (there.length) registry.set(name, Object.assign(new Highlight(...there), { priority }));
  else registry.delete(name);
}
