/**
 * Scales what a detector sees, with the integers of Pillow: its `resize` with
 * BILINEAR and a reducing gap of 2, bit for bit, so that the page's boxes are
 * those of edge/search.py.
 */

/** @typedef {import('./images.mjs').Image} Image */

// Pillow's fixed point: weights have so many binary digits.
const DIGITS = 22;
const REDUCING_GAP = 2;

/**
 * RGB bytes, row after row: three a pixel.
 * @typedef {{data: Uint8Array, width: number, height: number}} Rgb
 */

/**
 * Scales an image.
 * @param {Image} image
 * @param {number} width
 * @param {number} height
 * @returns {Rgb}
 */
export function scale(image, width, height) {
  const across = factor(image.width, width);
  const down = factor(image.height, height);
  const reduced = reduce(image, across, down);
  const lines = resample(reduced, image.width / across, {
    size: width,
    stride: 3,
    step: 3 * reduced.width,
    count: reduced.height,
    length: reduced.width,
  });
  const flat = { data: lines, width, height: reduced.height };
  const data = resample(flat, image.height / down, {
    size: height,
    stride: 3 * width,
    step: 3,
    count: width,
    length: reduced.height,
  });
  return { data, width, height };
}

/**
 * @param {number} source
 * @param {number} target
 * @returns {number} how many pixels are averaged before the rest is scaled.
 */
function factor(source, target) {
  return Math.max(1, Math.floor(source / target / REDUCING_GAP));
}

/**
 * Means of blocks of `across` x `down` pixels; those at the right and lower
 * edge may be smaller. Drops alpha.
 * @param {Image} image
 * @param {number} across
 * @param {number} down
 * @returns {Rgb}
 */
function reduce(image, across, down) {
  const width = Math.ceil(image.width / across);
  const height = Math.ceil(image.height / down);
  const data = new Uint8Array(3 * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    const high = Math.min(down, image.height - y * down);
    for (let x = 0; x < width; x++, to += 3) {
      const wide = Math.min(across, image.width - x * across);
      const from = 4 * (y * down * image.width + x * across);
      average(image, { from, wide, high }, data, to);
    }
  }
  return { data, width, height };
}

/**
 * @param {Image} image
 * @param {{from: number, wide: number, high: number}} block
 * @param {Uint8Array} data where the mean goes,
 * @param {number} to from here on.
 */
function average({ data: source, width }, { from, wide, high }, data, to) {
  const count = wide * high;
  // The quotient of Pillow: a product and a shift in whole numbers.
  const multiplier = Math.floor(2 ** 24 / count);
  let red = count >> 1;
  let green = red;
  let blue = red;
  for (let y = 0; y < high; y++) {
    let at = from + 4 * y * width;
    for (let x = 0; x < wide; x++, at += 4) {
      red += source[at];
      green += source[at + 1];
      blue += source[at + 2];
    }
  }
  data[to] = Math.floor((red * multiplier) / 2 ** 24);
  data[to + 1] = Math.floor((green * multiplier) / 2 ** 24);
  data[to + 2] = Math.floor((blue * multiplier) / 2 ** 24);
}

/**
 * Scales along one side.
 * @param {Rgb} source
 * @param {number} extent of the source that is scaled; at its end a pixel may
 *     count in part.
 * @param {{size: number, stride: number, step: number, count: number,
 *     length: number}} way `size` pixels come of `length`, which lie `stride`
 *     bytes apart, in each of `count` lines, which lie `step` bytes apart.
 * @returns {Uint8Array}
 */
function resample({ data }, extent, { size, stride, step, count, length }) {
  if (size === length && extent === length) return data;
  const isAcross = stride === 3;
  const scaled = new Uint8Array(3 * size * count);
  const parts = weights(length, Math.fround(extent), size);
  for (let at = 0; at < size; at++) {
    const { first, values } = parts[at];
    for (let line = 0; line < count; line++) {
      const from = line * step + first * stride;
      const to = 3 * (isAcross ? line * size + at : at * count + line);
      for (let channel = 0; channel < 3; channel++) {
        let sum = 1 << (DIGITS - 1);
        for (let k = 0, i = from + channel; k < values.length; k++) {
          sum += data[i] * values[k];
          i += stride;
        }
        scaled[to + channel] = Math.min(255, sum >> DIGITS);
      }
    }
  }
  return scaled;
}

/**
 * @param {number} length
 * @param {number} extent
 * @param {number} size
 * @returns {{first: number, values: number[]}[]} for each new pixel the first
 *     old one that counts, and whole numbers that say how much each counts.
 */
function weights(length, extent, size) {
  const step = extent / size;
  const reach = Math.max(step, 1);
  return Array.from({ length: size }, (_, index) => {
    const centre = (index + 0.5) * step;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(length, Math.trunc(centre + reach + 0.5));
    const heights = [];
    for (let at = first; at < end; at++) {
      // In Pillow's order of operations, for the last digit counts.
      const distance = Math.abs((at - centre + 0.5) * (1 / reach));
      heights.push(distance < 1 ? 1 - distance : 0);
    }
    const total = heights.reduce((sum, height) => sum + height, 0);
    const digits = (height) =>
      Math.trunc(0.5 + (height / total) * 2 ** DIGITS);
    return { first, values: heights.map(digits) };
  });
}
