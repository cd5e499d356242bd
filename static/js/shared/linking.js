// A button beside the time of the paragraph that is pointed at, or that has the focus: it copies a link to there.

import { copyText } from "../clipboard.js";

export function offerLinks(article, button, told) {
  function offer(event) {
    const clock = event.target.closest?.(".paragraph")?.querySelector(".clock");
    if (!clock || clock.nextElementSibling === button) return;
    button.hidden = false;
    clock.after(button);
    told.textContent = "";
  }

  article.addEventListener("pointerover", offer);
  article.addEventListener("focusin", offer);
  button.addEventListener("click", async () => {
    const { hash } = button.previousElementSibling;
    await copyText(new URL(hash, location.href).href);
    told.textContent = button.dataset.copied;
    button.dataset.done = "";
    setTimeout(() => delete button.dataset.done, 1500);
  });
}
