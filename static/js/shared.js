// The public page of a transcript: #t=83 finds what is said then, and the player goes there. The page works without it.

import "./menus.js";

const audio = document.getElementById("audio");
const form = document.getElementById("passcode-form");

/** The second that the address asks for: "#t=83", "#t=83.5"; null where it asks for none. */
function asked() {
  const found = /^#t=(\d{1,7})(?:\.\d*)?$/.exec(location.hash);
  return found ? Number(found[1]) : null;
}

/** The place that began last at this second. */
function placeAt(second) {
  let last = null;
  for (const place of document.querySelectorAll('#text [id^="t="]')) {
    if (Number(place.id.slice(2)) > second) break;
    last = place;
  }
  return last;
}

function show() {
  for (const marked of document.querySelectorAll(".marked")) marked.classList.remove("marked");
  const second = asked();
  if (second === null) return;
  const place = placeAt(second);
  if (place) {
    place.classList.add("marked");
    place.scrollIntoView({ block: "center" });
  }
  if (audio) seek(second);
}

/** Nothing is loaded before somebody plays; from then on a click on a time plays from there. */
function seek(second) {
  if (audio.readyState > 0) audio.currentTime = second;
  else audio.addEventListener("loadedmetadata", () => { audio.currentTime = second; }, { once: true });
}

addEventListener("hashchange", show);
show();
// The place that was asked for is still wanted behind the passcode.
if (form) form.action = location.href;
