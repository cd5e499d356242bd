// Whoever signs out gets no more notices in this browser: it tells the server and ends its subscription first. Whatever
// fails or takes long, signing out goes on.

import { csrfToken } from "./api.js";

const LONGEST_MS = 2000;

async function endNotices(forgetUrl) {
  const registration = await navigator.serviceWorker?.getRegistration();
  const kept = await registration?.pushManager?.getSubscription();
  if (!kept) return;
  const body = new URLSearchParams({ csrfmiddlewaretoken: csrfToken(), endpoint: kept.endpoint });
  // Either is enough: what is sent to a browser that has ended its subscription makes the server forget it.
  await Promise.allSettled([fetch(forgetUrl, { method: "POST", body }), kept.unsubscribe()]);
}

for (const form of document.querySelectorAll("form[data-forget]")) {
  let isLeaving = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isLeaving) return;
    isLeaving = true;
    const late = new Promise((resolve) => { setTimeout(resolve, LONGEST_MS); });
    await Promise.race([endNotices(form.dataset.forget).catch(() => {}), late]);
    isLeaving = false;
    form.submit();
  });
}
