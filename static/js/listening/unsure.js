// Words of which the engine was unsure, faintly marked where they can be seen.

import { keep, kept } from "../kept.js";
import { placesOf } from "../wordplaces.js";
import { mark } from "./marks.js";

const UNSURE_BELOW = 0.5;
const KEPT = "unsure-words";

export function markUnsure(transcript, button) {
  const inView = new Set();
  let isOn = kept(KEPT, true) === true;
  let asked = 0;

  const show = () => {
    asked = 0;
    mark("unsure", isOn ? [...inView].flatMap((element) => rangesIn(transcript, element)) : []);
  };
  const later = () => (asked ||= requestAnimationFrame(show));
  const watching = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) inView[isIntersecting ? "add" : "delete"](target);
    later();
  }, { rootMargin: "25% 0px" });
  const watch = () => {
    for (const element of inView) if (!element.isConnected) inView.delete(element);
    for (const { element } of transcript.shown()) watching.observe(element);
    later();
  };
  const turn = (on) => {
    isOn = on;
    button.setAttribute("aria-pressed", String(isOn));
    later();
  };
  transcript.addEventListener("shown", watch);
  button.addEventListener("click", () => {
    turn(!isOn);
    keep(KEPT, isOn);
  });
  turn(isOn);
  watch();
}

/** What a person has checked is sure. */
function rangesIn(transcript, element) {
  const segments = (transcript.paragraphOf(element)?.segments ?? []).filter(({ checked }) => !checked);
  return segments.flatMap((segment) =>
    placesOf(segment)
      .filter(({ probability }) => typeof probability === "number" && probability < UNSURE_BELOW)
      .map(({ from, to }) => transcript.range(segment, from, to)),
  );
}
