/**
 * The service worker: keeps the desk's files, so that its pages open without a network. It never answers for the
 * interface, and keeps nothing of anybody's data. The server fills in the version and the names of the files.
 */
const VERSION = "{digest}";
const FILES = [{files}];
const CACHE = `desk-${VERSION}`;

/** How long a page may take before the kept one is shown, in milliseconds. */
const PATIENCE = 4000;

async function install() {
  const cache = await caches.open(CACHE);
  const addresses = ["/desk", ...FILES.map((name) => `/desk/assets/${VERSION}/${name}`)];
  await cache.addAll(addresses.map((address) => new Request(address, { cache: "reload" })));
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("desk-") && name !== CACHE).map((name) => caches.delete(name)));
  await clients.claim();
}

/** The page from the server or, where that takes too long, as it is kept. */
async function page(request) {
  const kept = await caches.match("/desk", { cacheName: CACHE });
  const late = new Promise((resolve) => {
    if (kept) setTimeout(() => resolve(kept), PATIENCE);
  });
  const fresh = fetch(request).catch((error) => {
    if (kept) return kept;
    throw error;
  });
  return Promise.race([fresh, late]);
}

const file = async (request) => (await caches.match(request)) ?? fetch(request);

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("message", (event) => {
  if (event.data === "take over") skipWaiting();
});
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin || request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (pathname.startsWith("/desk/assets/")) event.respondWith(file(request));
});
