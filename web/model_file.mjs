/**
 * Labels and metadata out of a model file: the twin of edge/model_file.py.
 * They are a zip at the end of the `.tflite`.
 */

const END_OF_ZIP = 0x06054b50;
const ENTRY_OF_ZIP = 0x02014b50;
const END_BYTES = 22;
const MAX_COMMENT = 65535;
const DEFLATED = 8;
const LABELS = 'labels.txt';
const METADATA = 'metadata.json';
const NO_MODEL = 'The model file is damaged. Load the page again.';

/** A file cannot be used; its message is for the person at the screen. */
export class ModelFileError extends Error {}

/**
 * @typedef {{content: Uint8Array, labels: string[], metadata: object}}
 *     ModelFile
 */

/**
 * Reads and checks a model file.
 * @param {Uint8Array} content
 * @returns {Promise<ModelFile>}
 * @throws {ModelFileError} it is damaged, or lacks its labels or metadata.
 */
export async function readModelFile(content) {
  try {
    const members = await readZip(content);
    const labels = members.get(LABELS).trimEnd().split('\n');
    const metadata = JSON.parse(members.get(METADATA));
    await checkDigest(content, metadata);
    return { content, labels, metadata };
  } catch (error) {
    throw new ModelFileError(NO_MODEL, { cause: error });
  }
}

/**
 * @param {Uint8Array} content
 * @returns {Promise<Map<string, string>>} the text of each member, by name.
 */
async function readZip(content) {
  const view = new DataView(content.buffer, content.byteOffset);
  const end = findEnd(view);
  const members = new Map();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (view.getUint32(at, true) !== ENTRY_OF_ZIP) throw new Error('no entry');
    const lengths = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    const name = text(content.subarray(at + 46, at + 46 + lengths[0]));
    members.set(name, await readMember(content, view, at));
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  return members;
}

/**
 * @param {DataView} view
 * @returns {number} where the end of the zip's directory stands.
 */
function findEnd(view) {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
    if (view.getUint32(at, true) === END_OF_ZIP) return at;
  }
  throw new Error('no zip at its end');
}

/**
 * @param {Uint8Array} content
 * @param {DataView} view
 * @param {number} at of its entry in the directory.
 * @returns {Promise<string>}
 */
async function readMember(content, view, at) {
  const method = view.getUint16(at + 10, true);
  const size = view.getUint32(at + 20, true);
  const head = view.getUint32(at + 42, true);
  const name = view.getUint16(head + 26, true);
  const start = head + 30 + name + view.getUint16(head + 28, true);
  const packed = content.subarray(start, start + size);
  return text(method === DEFLATED ? await inflate(packed) : packed);
}

/**
 * @param {Uint8Array} packed
 * @returns {Promise<Uint8Array>}
 */
async function inflate(packed) {
  const stream = new Blob([packed]).stream();
  const unpacked = stream.pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

/**
 * @param {Uint8Array} content
 * @param {{model_bytes: number, model_sha256: string}} metadata
 */
async function checkDigest(content, metadata) {
  if (!globalThis.crypto?.subtle) return; // Only https and localhost have it.
  const model = content.subarray(0, metadata.model_bytes);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', model));
  const digits = Array.from(digest, (b) => b.toString(16).padStart(2, '0'));
  if (digits.join('') !== metadata.model_sha256) throw new Error('checksum');
}

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 */
function text(bytes) {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}
