/**
 * One of BlazeFace's two networks and what it predicts: the twin of
 * edge/blazeface.py.
 */

import { Network } from './litert.mjs';

/** @typedef {import('./scaling.mjs').Rgb} Rgb */
/** @typedef {import('./images.mjs').Box & {score: number}} Found */

// Anchors for each cell of the two feature maps.
const MAPS = [
  { cells: 16, anchors: 2 },
  { cells: 8, anchors: 6 },
];
const VALUES_PER_ANCHOR = 16;
const MAX_LOGIT = 80;
const LEVELS = Float32Array.from(
  { length: 256 },
  (_, level) => Math.fround(level * Math.fround(1 / 127.5)) - 1,
);

/** A face detection network. */
export class BlazeFace {
  /**
   * Use `BlazeFace.load`.
   * @param {Network} network
   */
  constructor(network) {
    this.network = network;
    this.size = network.shape[1];
    this.anchors = makeAnchors(this.size);
  }

  /**
   * Loads it.
   * @param {Uint8Array} content of the `.tflite` file.
   * @returns {Promise<BlazeFace>}
   */
  static async load(content) {
    return new BlazeFace(await Network.load(content));
  }

  /**
   * Finds the faces in a window; a face may be found several times.
   * @param {Rgb} shown
   * @param {number[]} corner left and top of the window, which is as large as
   *     the network's input; what is missing counts as black.
   * @param {number} leastScore
   * @returns {Promise<Found[]>} in pixels of the window.
   */
  async find(shown, corner, leastScore) {
    const outputs = await this.network.run(this.input(shown, corner));
    const [logits, values] = outputs.sort((a, b) => a.length - b.length);
    const least = Math.log(leastScore / (1 - leastScore));
    const found = [];
    logits.forEach((logit, row) => {
      if (logit < least) return;
      const box = this.decode(values, row);
      found.push({ ...box, score: sigmoid(logit) });
    });
    return found;
  }

  /**
   * @param {Rgb} shown
   * @param {number[]} corner
   * @returns {Float32Array} the window in [-1, 1].
   */
  input({ data, width, height }, [left, top]) {
    const input = new Float32Array(3 * this.size * this.size).fill(-1);
    const wide = Math.min(this.size, width - left);
    const high = Math.min(this.size, height - top);
    for (let row = 0; row < high; row++) {
      const from = 3 * ((top + row) * width + left);
      const to = 3 * row * this.size;
      for (let at = 0; at < 3 * wide; at++) {
        input[to + at] = LEVELS[data[from + at]];
      }
    }
    return input;
  }

  /**
   * @param {Float32Array} values
   * @param {number} row
   * @returns {import('./images.mjs').Box}
   */
  decode(values, row) {
    const at = VALUES_PER_ANCHOR * row;
    const [x, y, width, height] = values.subarray(at, at + 4);
    const left = x + this.anchors[2 * row] - width / 2;
    const top = y + this.anchors[2 * row + 1] - height / 2;
    return { left, top, width, height };
  }
}

/**
 * @param {number} size of the network's input.
 * @returns {number[]} x and y of each anchor's centre, in turn.
 */
function makeAnchors(size) {
  const centres = [];
  for (const { cells, anchors } of MAPS) {
    const step = size / cells;
    for (let cell = 0; cell < cells * cells; cell++) {
      const x = ((cell % cells) + 0.5) * step;
      const y = (Math.floor(cell / cells) + 0.5) * step;
      for (let k = 0; k < anchors; k++) centres.push(x, y);
    }
  }
  return centres;
}

/**
 * @param {number} logit
 * @returns {number} 0 to 1.
 */
function sigmoid(logit) {
  const bounded = Math.min(MAX_LOGIT, Math.max(-MAX_LOGIT, logit));
  // In single precision as the twin: two scores may be equal.
  return Math.fround(1 / (1 + Math.fround(Math.exp(-bounded))));
}
