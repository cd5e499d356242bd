// The public page of a transcript. Reading, chapters and links to a time work without it.

import "./menus.js";
import { followContents } from "./shared/contents.js";
import { find } from "./shared/finding.js";
import { offerLinks } from "./shared/linking.js";
import { listen } from "./shared/listening.js";
import { seconds, showPlace } from "./shared/places.js";

const article = document.getElementById("text");
const form = document.getElementById("passcode-form");

if (article) {
  const player = listen(article, document.getElementById("audio"));
  const show = () => {
    const second = seconds(location.hash);
    showPlace(article, second);
    if (second !== null) player?.seek(second);
  };
  addEventListener("hashchange", show);
  show();
  find(article, document.getElementById("finder"));
  followContents(article, document.getElementById("contents"));
  offerLinks(article, document.getElementById("copy-link"), document.getElementById("told"));
}
// The place that was asked for is still wanted behind the passcode.
if (form) form.action = location.href;
