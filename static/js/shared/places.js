// Places of the text by their second: #t=83, #t=83.5.

/** The second that an address asks for; null where it asks for none. */
export function seconds(hash) {
  const found = /^#t=(\d{1,7})(?:\.\d*)?$/.exec(hash);
  return found ? Number(found[1]) : null;
}

/** The place that began last at this second. */
function placeAt(article, second) {
  let last = null;
  for (const place of article.querySelectorAll('[id^="t="]')) {
    if (Number(place.id.slice(2)) > second) break;
    last = place;
  }
  return last;
}

/** Marks the place and brings it into sight; with null, nothing is marked. */
export function showPlace(article, second) {
  for (const marked of article.querySelectorAll(".marked")) marked.classList.remove("marked");
  const place = second === null ? null : placeAt(article, second);
  if (!place) return;
  place.classList.add("marked");
  place.scrollIntoView({ block: place.matches(".chapter") ? "start" : "center" });
}
