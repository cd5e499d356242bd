// Files that another app shared with this one: the service worker holds them until a job is made of them.

const CACHE = "shared-files";

/** Them as items for the form, oldest first. */
export async function sharedItems() {
  if (!globalThis.caches || !(await caches.has(CACHE))) return [];
  const cache = await caches.open(CACHE);
  const requests = (await cache.keys()).sort((a, b) => a.url.localeCompare(b.url, "en", { numeric: true }));
  return Promise.all(requests.map((request) => itemOf(cache, request)));
}

async function itemOf(cache, request) {
  const held = await cache.match(request);
  const name = decodeURIComponent(held.headers.get("X-Name") ?? "") || "recording";
  const file = new File([await held.blob()], name, { type: held.headers.get("Content-Type") ?? "" });
  const forget = () => cache.delete(request);
  return { name, file, made: forget, dropped: forget };
}
