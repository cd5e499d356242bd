// Which paragraphs can be seen, for marks that would be too many on a whole transcript.

/** Calls `show(elements)` whenever those in view, or the transcript, change. Returns a function that asks for it. */
export function whileInView(transcript, show) {
  const inView = new Set();
  let asked = 0;
  const later = () => {
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      show([...inView]);
    });
  };
  const watching = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) inView[isIntersecting ? "add" : "delete"](target);
    later();
  }, { rootMargin: "25% 0px" });
  const watch = () => {
    for (const element of inView) if (!element.isConnected) inView.delete(element);
    for (const { element } of transcript.shown()) watching.observe(element);
    later();
  };
  transcript.addEventListener("shown", watch);
  watch();
  return later;
}
