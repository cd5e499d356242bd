// Copy buttons: data-copy names the field, data-copied what is said afterwards. The field is selected as well, so that
// copying works by hand where the browser has no clipboard for scripts. And a word when a security key did not work.

import { setText } from "./dom.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    document.execCommand("copy");
  }
  const name = button.querySelector("span");
  const idle = name.textContent;
  setText(name, button.dataset.copied);
  setTimeout(() => setText(name, idle), 2000);
});

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const told = document.getElementById("key-failed").content.cloneNode(true);
  document.querySelector("main .message.bad")?.remove();
  document.querySelector("main h1").after(told);
});
