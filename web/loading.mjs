/** Brings what the page needs, says how far it is, and keeps it for later. */

const STORES = 'fer-web-';
const SETTINGS = 'settings.json';
const INCOMPLETE =
  'A part of the page could not be loaded. Check the connection and load ' +
  'the page again.';

/** A part is missing; its message is for the person at the screen. */
export class LoadingError extends Error {}

/**
 * Reads settings.json, which says what there is.
 * @returns {Promise<object>}
 * @throws {LoadingError}
 */
export async function loadSettings() {
  return (await request(SETTINGS)).json();
}

/**
 * Reads one of the page's files.
 * @param {string} path
 * @returns {Promise<Uint8Array>}
 * @throws {LoadingError}
 */
export async function loadFile(path) {
  return new Uint8Array(await (await request(path)).arrayBuffer());
}

/**
 * Brings every file once, and keeps it where the browser can.
 * @param {{version: string, files: Object<string, number>}} wanted of the
 *     page, with their sizes.
 * @param {(fraction: number, bytes: number) => void} onProgress is told how
 *     much there is by now, and of how many bytes.
 * @throws {LoadingError}
 */
export async function bringFiles({ version, files }, onProgress) {
  const name = STORES + version;
  const store = await openStore(name);
  const total = Object.values(files).reduce((sum, size) => sum + size, 0);
  let done = 0;
  const count = (bytes) => {
    done += bytes;
    onProgress(done / total, total);
  };
  const bring = async ([path, size]) => {
    if (await store?.match(path)) count(size);
    else await bringFile(path, store, count);
  };
  await Promise.all(Object.entries(files).map(bring));
  // Read once more, past the store: it is not in its own list of files.
  await keep(store, SETTINGS, await request(SETTINGS));
  await forgetOthers(name);
}

/** Lets the page work offline, where the browser can. */
export async function workOffline() {
  try {
    await navigator.serviceWorker?.register('service_worker.js');
  } catch (error) {
    console.warn('works with a network only:', error);
  }
}

/**
 * @param {string} path
 * @param {Cache|null} store
 * @param {(bytes: number) => void} count is told of bytes as they come.
 */
async function bringFile(path, store, count) {
  const response = await request(path, { cache: 'reload' });
  const type = response.headers.get('Content-Type');
  const headers = type ? { 'Content-Type': type } : {};
  const parts = [];
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await read(reader);
    if (done) break;
    parts.push(value);
    count(value.length);
  }
  await keep(store, path, new Response(new Blob(parts), { headers }));
}

/**
 * @param {Cache|null} store
 * @param {string} path
 * @param {Response} response
 */
async function keep(store, path, response) {
  try {
    await store?.put(path, response);
  } catch (error) {
    console.warn('no room to work offline:', error);
  }
}

/**
 * @param {ReadableStreamDefaultReader} reader
 * @returns {Promise<{done: boolean, value: Uint8Array}>}
 */
async function read(reader) {
  try {
    return await reader.read();
  } catch (error) {
    throw new LoadingError(INCOMPLETE, { cause: error });
  }
}

/**
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<Response>}
 */
async function request(path, options = {}) {
  try {
    const response = await fetch(path, options);
    if (response.ok) return response;
  } catch (error) {
    throw new LoadingError(INCOMPLETE, { cause: error });
  }
  throw new LoadingError(INCOMPLETE);
}

/**
 * @param {string} name
 * @returns {Promise<Cache|null>} null where the browser keeps nothing.
 */
async function openStore(name) {
  try {
    return await caches.open(name);
  } catch {
    return null;
  }
}

/** @param {string} name of the store that stays. */
async function forgetOthers(name) {
  if (!globalThis.caches) return;
  for (const other of await caches.keys()) {
    if (other.startsWith(STORES) && other !== name) {
      await caches.delete(other);
    }
  }
}
