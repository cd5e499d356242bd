// What every page does: times in the reader's time zone, and a settings menu that closes as menus do.

import { localiseTimes } from "./format.js";

localiseTimes();
setInterval(() => localiseTimes(), 30_000);

const menu = document.querySelector("details.menu");
document.addEventListener("click", (event) => {
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu?.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
