/**
 * Lets the page work without a network after its first visit.
 *
 * What is large comes out of the store that `loading.mjs` fills, for it
 * changes only with the page's version. All else comes from the network, and
 * out of the store where there is none.
 */

const LARGE = /\/(vendor|models)\/[^/]+$/;

self.addEventListener('install', () => self.skipWaiting());

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  // "reload" is `loading.mjs` that fills the store.
  if (request.method !== 'GET' || request.cache === 'reload') return;
  event.respondWith(answer(request));
});

/**
 * @param {Request} request
 * @returns {Promise<Response>}
 */
async function answer(request) {
  const isLarge = LARGE.test(new URL(request.url).pathname);
  const kept = isLarge ? await find(request) : undefined;
  if (kept) return kept;
  try {
    return await fetch(request);
  } catch (error) {
    const old = await find(request);
    if (old) return old;
    throw error;
  }
}

/**
 * @param {Request} request
 * @returns {Promise<Response|undefined>}
 */
function find(request) {
  const isPage = request.mode === 'navigate';
  const wanted = isPage ? new URL('index.html', self.location) : request;
  return caches.match(wanted, { ignoreSearch: true });
}
