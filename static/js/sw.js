// The service worker: shows notices, opens what they are about, keeps the page that says there is no network, and holds files
// that another app shares until the form takes them. It never keeps a page of anybody.

const SHELL = "shell-1";
const SHARED = "shared-files";
const OFFLINE = "/offline";
// What that page is made of, whatever its content's hash.
const OF_SHELL = /^\/static\/(?:css\/app|js\/theme|js\/offline)\./;
const SHARE_TARGET = "/whisper/share-target";

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(keepShell());
});

addEventListener("activate", (event) => event.waitUntil(dropOldShells()));

async function keepShell() {
  const shell = await caches.open(SHELL);
  const page = await fetch(OFFLINE, { credentials: "omit", headers: { "Accept-Language": navigator.languages.join(",") } });
  const linked = [...(await page.clone().text()).matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, path]) => path);
  await shell.put(OFFLINE, page);
  await shell.addAll(linked);
}

async function dropOldShells() {
  const old = (await caches.keys()).filter((name) => name.startsWith("shell-") && name !== SHELL);
  await Promise.all(old.map((name) => caches.delete(name)));
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method === "POST" && pathname === SHARE_TARGET) event.respondWith(takeShared(request));
  else if (request.method === "GET" && request.mode === "navigate") event.respondWith(fetch(request).catch(withoutNetwork));
  else if (request.method === "GET" && OF_SHELL.test(pathname)) event.respondWith(orFromShell(request));
});

const withoutNetwork = async () => (await caches.match(OFFLINE)) ?? Response.error();

async function orFromShell(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(request, { cacheName: SHELL });
    if (kept) return kept;
    throw error;
  }
}

/** Files stay on the device until the form hands them in; a link goes on to the server, which fills the form with it. */
async function takeShared(request) {
  const form = await request.formData();
  const files = form.getAll("media_file").filter((file) => file instanceof File && file.size);
  if (!files.length) {
    const told = ["title", "text", "url"].map((name) => [name, form.get(name)]).filter(([, value]) => typeof value === "string" && value);
    return Response.redirect(`${SHARE_TARGET}?${new URLSearchParams(told)}`, 303);
  }
  const shared = await caches.open(SHARED);
  const since = Date.now();
  for (const [place, file] of files.entries()) {
    const headers = { "Content-Type": file.type, "X-Name": encodeURIComponent(file.name) };
    await shared.put(`/shared/${since}-${place}`, new Response(file, { headers }));
  }
  return Response.redirect("/whisper", 303);
}

addEventListener("push", (event) => {
  const told = event.data?.json() ?? {};
  const options = { body: told.body, tag: told.tag, data: { path: told.path }, icon: "/static/favicon.svg" };
  event.waitUntil(registration.showNotification(told.title ?? "Tools Whisper", options));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.path ?? "/whisper"));
});

/** In a window that shows it already, else in a new one. Paths of this site only. */
async function open(path) {
  const address = new URL(path, location.origin);
  if (address.origin !== location.origin) return;
  const windows = await clients.matchAll({ type: "window" });
  const shown = windows.find((one) => new URL(one.url).pathname === address.pathname);
  await (shown ? shown.focus() : clients.openWindow(address.href));
}
