// Has the browser keep the service worker up to date. Where the address is no https there is none.

import "./signingout.js";

navigator.serviceWorker?.register("/sw.js").catch(() => {});
