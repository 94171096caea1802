/**
 * The expression network of @vladmandic/face-api, without its detector, with
 * its own way from a picture to probabilities.
 */

import * as faceapi from './face_api/face-api.esm.js';

/** @returns {Promise<import('./measure.mjs').Network>} */
export async function load() {
  const { tf } = faceapi;
  tf.setWasmPaths(new URL('./tfjs/', import.meta.url).href);
  if (!(await tf.setBackend('wasm'))) throw new Error('no WebAssembly');
  const network = faceapi.nets.faceExpressionNet;
  await network.loadFromUri('face_api');
  const answer = async (image) => {
    const pixels = tf.browser.fromPixels(image);
    const given = await network.predictExpressions(pixels);
    pixels.dispose();
    return Object.values(given);
  };
  // An object of probabilities has its own names, in order.
  const labels = Object.keys(new faceapi.FaceExpressions(Array(7).fill(0)));
  return { labels, answer };
}
