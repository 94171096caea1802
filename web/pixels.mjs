/**
 * An image -> the very pixels that a model was trained on: the twin of
 * `prepare_picture` in edge/pictures.py. A canvas that scales gives others.
 */

import { roundHalfEven } from './images.mjs';

/** @typedef {import('./images.mjs').Image} Image */

// ITU-R BT.601 luma to four digits, in the precision of the twin.
const [RED, GREEN, BLUE] = [0.2989, 0.587, 0.114].map(Math.fround);
const KEPT_KERNELS = 64;
const kernels = new Map();

/**
 * Prepares one image, or a face that was cut out of one.
 * @param {Image} image
 * @param {number} size height and width of the result.
 * @param {number} channels 1 for grey, 3 for RGB.
 * @returns {Uint8Array} `size` x `size` x `channels`; alpha is dropped.
 */
export function prepare(image, size, channels) {
  const pixels = new Uint8Array(size * size * channels);
  planes(image, channels).forEach((plane, channel) => {
    const values = resize(plane, image, size);
    for (let at = 0; at < values.length; at++) {
      const level = roundHalfEven(values[at]);
      pixels[at * channels + channel] = Math.min(255, Math.max(0, level));
    }
  });
  return pixels;
}

/**
 * The mirror image of prepared pixels.
 * @param {Uint8Array} pixels as `prepare` gives them.
 * @param {number} size
 * @param {number} channels
 * @returns {Uint8Array}
 */
export function mirror(pixels, size, channels) {
  const mirrored = new Uint8Array(pixels.length);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const from = (row * size + column) * channels;
      const to = (row * size + size - 1 - column) * channels;
      mirrored.set(pixels.subarray(from, from + channels), to);
    }
  }
  return mirrored;
}

/**
 * @param {Image} image
 * @param {number} channels
 * @returns {Float32Array[]} one plane for each channel.
 */
function planes(image, channels) {
  const count = image.width * image.height;
  const { data } = image;
  if (channels === 1) {
    const grey = (_, i) =>
      Math.fround(
        Math.fround(RED * data[4 * i]) + Math.fround(GREEN * data[4 * i + 1]),
      ) + Math.fround(BLUE * data[4 * i + 2]);
    return [Float32Array.from({ length: count }, grey)];
  }
  return [0, 1, 2].map((channel) =>
    Float32Array.from({ length: count }, (_, i) => data[4 * i + channel]),
  );
}

/**
 * Antialiased bilinear, to a square; the aspect ratio is not kept. In single
 * precision as the twin, whose sums run in an order of the processor's own.
 * @param {Float32Array} plane
 * @param {Image} image whose plane it is.
 * @param {number} size
 * @returns {Float32Array}
 */
function resize(plane, { width, height }, size) {
  if (width === size && height === size) return plane;
  const lines = new Float32Array(size * width);
  kernel(height, size).forEach(({ first, weights }, row) => {
    for (let column = 0; column < width; column++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) {
        const value = plane[(first + k) * width + column];
        sum = Math.fround(sum + weights[k] * value);
      }
      lines[row * width + column] = sum;
    }
  });
  const values = new Float32Array(size * size);
  kernel(width, size).forEach(({ first, weights }, column) => {
    for (let row = 0; row < size; row++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) {
        const value = lines[row * width + first + k];
        sum = Math.fround(sum + weights[k] * value);
      }
      values[row * size + column] = sum;
    }
  });
  return values;
}

/**
 * The triangle kernel, as wide as a target pixel when the image shrinks and
 * as a source pixel when it grows. The last ones are kept, for the frames of
 * a video have one size.
 * @param {number} source pixels.
 * @param {number} target pixels.
 * @returns {{first: number, weights: Float32Array}[]} for each target pixel
 *     the first source pixel that counts, and how much each one counts.
 */
function kernel(source, target) {
  const key = `${source} ${target}`;
  if (!kernels.has(key)) {
    if (kernels.size >= KEPT_KERNELS) kernels.clear();
    const step = source / target;
    const made = Array.from({ length: target }, (_, i) =>
      triangle((i + 0.5) * step, Math.max(step, 1), source),
    );
    kernels.set(key, made);
  }
  return kernels.get(key);
}

/**
 * @param {number} centre
 * @param {number} reach
 * @param {number} source
 * @returns {{first: number, weights: Float32Array}}
 */
function triangle(centre, reach, source) {
  const first = Math.max(0, Math.floor(centre - reach - 0.5));
  const last = Math.min(source - 1, Math.ceil(centre + reach));
  const heights = [];
  for (let at = first; at <= last; at++) {
    heights.push(Math.max(0, 1 - Math.abs(at + 0.5 - centre) / reach));
  }
  const total = heights.reduce((sum, height) => sum + height, 0);
  const weights = Float32Array.from(heights, (height) => height / total);
  return { first, weights };
}
