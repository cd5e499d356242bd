// What every page does: times in the reader's time zone, and its menus.

import { localiseTimes } from "./format.js";
import "./menus.js";

localiseTimes();
setInterval(() => localiseTimes(), 30_000);
