/**
 * The scales and windows in which a large image is searched: the twins of
 * `levels`, `windows` and `is_whole` in edge/search.py.
 */

import { roundHalfEven } from './images.mjs';

/** @typedef {{width: number, height: number}} Size */

/**
 * The scales at which `back` sees an image. The first shows all of it in one
 * window, each other one twice as much as the one before.
 * @param {number} side of a window, the first scale.
 * @param {{longerPx: number, leastPx: number}} wanted the image's longer side,
 *     and the size down to which faces are to be found.
 * @param {object} numbers edge's.
 * @returns {number[]} the image's longer side at each scale.
 */
export function levels(side, { longerPx, leastPx }, numbers) {
  let last = side;
  const found = [last];
  while (
    (leastPx * last) / longerPx < numbers.least_px &&
    last * 2 <= longerPx
  ) {
    last *= 2;
    found.push(last);
  }
  return found;
}

/**
 * The windows that cover an image, overlapping.
 * @param {Size} shown
 * @param {number} side of a window.
 * @param {object} numbers edge's.
 * @returns {number[][]} left and top of each.
 */
export function windows({ width, height }, side, numbers) {
  const lefts = starts(width, side, numbers);
  return starts(height, side, numbers).flatMap((top) =>
    lefts.map((left) => [left, top]),
  );
}

/**
 * Whether no inner edge of a window cuts a face.
 * @param {import('./images.mjs').Box} face in pixels of the window.
 * @param {{shown: Size, corner: number[], side: number}} place of the window.
 * @param {object} numbers edge's.
 * @returns {boolean}
 */
export function isWhole(face, { shown, corner, side }, numbers) {
  const isFree = (start, length, from, whole) => {
    const size = Math.min(side, whole - from);
    const isFirst = from === 0;
    const isLast = from + size >= whole;
    const end = start + length;
    const near = numbers.cut_px;
    return (isFirst || start >= near) && (isLast || end <= size - near);
  };
  return (
    isFree(face.left, face.width, corner[0], shown.width) &&
    isFree(face.top, face.height, corner[1], shown.height)
  );
}

/**
 * @param {number} length
 * @param {number} side
 * @param {object} numbers edge's.
 * @returns {number[]} where windows begin along a side of an image.
 */
function starts(length, side, numbers) {
  if (side >= length) return [0];
  const step = side * (1 - numbers.window_overlap);
  const gaps = Math.ceil((length - side) / step);
  const gap = (length - side) / gaps;
  const inner = Array.from({ length: gaps }, (_, index) =>
    roundHalfEven(index * gap),
  );
  return [...inner, length - side];
}
