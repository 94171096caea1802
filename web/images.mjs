/**
 * What the other modules call an image: RGBA bytes, row after row.
 * An `ImageData` of the browser is one.
 * @typedef {{data: Uint8ClampedArray, width: number, height: number}} Image
 */

/**
 * @typedef {{left: number, top: number, width: number, height: number}} Box
 */

/**
 * Rounds to the nearest whole number and halves to the even one, as Python
 * and numpy do. `Math.round` rounds halves up.
 * @param {number} value
 * @returns {number}
 */
export function roundHalfEven(value) {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Cuts a part out, pixel for pixel.
 * @param {Image} image
 * @param {Box} box of whole numbers, inside the image.
 * @returns {Image}
 */
export function cut(image, { left, top, width, height }) {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let row = 0; row < height; row++) {
    const start = 4 * ((top + row) * image.width + left);
    data.set(image.data.subarray(start, start + 4 * width), 4 * row * width);
  }
  return { data, width, height };
}

/**
 * How far the darkest and the brightest value of an image lie apart.
 * @param {Image} image
 * @returns {number} grey levels, 0 to 255.
 */
export function contrast({ data }) {
  let least = 255;
  let most = 0;
  for (let at = 0; at < data.length; at++) {
    if (at % 4 === 3) continue;
    if (data[at] < least) least = data[at];
    if (data[at] > most) most = data[at];
  }
  return most - least;
}
