// Words of which the engine was unsure, faintly marked where they can be seen.

import { keep, kept } from "../kept.js";
import { placesOf } from "../wordplaces.js";
import { whileInView } from "./inview.js";
import { mark } from "./marks.js";

const UNSURE_BELOW = 0.5;
const KEPT = "unsure-words";

export function markUnsure(transcript, button) {
  let isOn = kept(KEPT, true) === true;
  const later = whileInView(transcript, (elements) => {
    mark("unsure", isOn ? elements.flatMap((element) => rangesIn(transcript, element)) : []);
  });
  const turn = (on) => {
    isOn = on;
    button.setAttribute("aria-pressed", String(isOn));
    later();
  };
  button.addEventListener("click", () => {
    turn(!isOn);
    keep(KEPT, isOn);
  });
  turn(isOn);
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
