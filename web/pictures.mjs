/** What the browser decodes -> images, unscaled and in the file's colours. */

/** @typedef {import('./images.mjs').Image} Image */

// As edge/pictures.py: phones take 50 million pixels.
const MAX_PIXELS = 64_000_000;
const UNREADABLE =
  'This file is no picture or video that the browser can read. ' +
  'Save it as PNG or JPEG, or a video as MP4 or WebM.';
const TOO_LARGE = 'This picture has more than 64 million pixels.';

/** A file cannot be used; its message is for the person at the screen. */
export class PictureError extends Error {}

/** What was read last, for those who show it. */
export const canvas = new OffscreenCanvas(1, 1);
const pen = canvas.getContext('2d', { willReadFrequently: true });

/**
 * Reads a picture file, upright; colour profiles are left aside, as in
 * training.
 * @param {Blob} file
 * @returns {Promise<Image>}
 * @throws {PictureError} the browser cannot decode it, or it is too large.
 */
export async function readPicture(file) {
  const bitmap = await decode(file);
  try {
    if (bitmap.width * bitmap.height > MAX_PIXELS) {
      throw new PictureError(TOO_LARGE);
    }
    return grab(bitmap, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

/**
 * The pixels of a bitmap or of a video's frame.
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @returns {Image}
 */
export function grab(source, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  // Without it what was there before shines through what is transparent.
  pen.globalCompositeOperation = 'copy';
  pen.drawImage(source, 0, 0, width, height);
  return pen.getImageData(0, 0, width, height);
}

/**
 * @param {Blob} file
 * @returns {Promise<ImageBitmap>}
 */
async function decode(file) {
  try {
    return await createImageBitmap(file, {
      colorSpaceConversion: 'none',
      imageOrientation: 'from-image',
      premultiplyAlpha: 'none',
    });
  } catch (error) {
    throw new PictureError(UNREADABLE, { cause: error });
  }
}
