/** Boxes and the crop around a face: the twin of edge/boxes.py. */

import { roundHalfEven } from './images.mjs';

/** @typedef {import('./images.mjs').Box} Box */
/** @typedef {import('./images.mjs').Image} Image */

/**
 * The box of a whole image.
 * @param {Image} image
 * @returns {Box}
 */
export function whole({ width, height }) {
  return { left: 0, top: 0, width, height };
}

/**
 * Intersection over union.
 * @param {Box} one
 * @param {Box} other
 * @returns {number} 0 to 1.
 */
export function overlap(one, other) {
  const shared = intersection(one, other);
  const union = area(one) + area(other) - shared;
  return union > 0 ? shared / union : 0;
}

/**
 * @param {Box} one
 * @param {Box} other
 * @returns {number} pixels that both hold.
 */
export function intersection(one, other) {
  const width =
    Math.min(one.left + one.width, other.left + other.width) -
    Math.max(one.left, other.left);
  const height =
    Math.min(one.top + one.height, other.top + other.height) -
    Math.max(one.top, other.top);
  return Math.max(0, width) * Math.max(0, height);
}

/**
 * @param {Box} box
 * @returns {number} pixels.
 */
export function area(box) {
  return box.width * box.height;
}

/**
 * The square around a face, inside the image: moved inwards at an edge, and
 * cut only where the image is smaller than the square.
 * @param {Box} box
 * @param {{margin: number, up: number}} rule of the detector.
 * @param {Image} image
 * @returns {Box}
 */
export function square(box, rule, image) {
  const longer = Math.max(box.width, box.height);
  const side = Math.max(1, roundHalfEven(longer * (1 + 2 * rule.margin)));
  const across = box.left + box.width / 2;
  const down = box.top + box.height * (1 / 2 - rule.up);
  const [left, width] = fit(across, side, image.width);
  const [top, height] = fit(down, side, image.height);
  return { left, top, width, height };
}

/**
 * @param {number} centre
 * @param {number} side
 * @param {number} limit
 * @returns {[number, number]} start and length of a stretch inside `limit`.
 */
function fit(centre, side, limit) {
  const length = Math.min(side, limit);
  const start = roundHalfEven(centre - length / 2);
  return [Math.min(Math.max(start, 0), limit - length), length];
}
