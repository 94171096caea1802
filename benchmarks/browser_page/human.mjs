/**
 * The emotion network of @vladmandic/human, without its detector, with the
 * steps and the class names of `predict` in its src/gear/emotion.ts.
 */

import { Human } from './human/human.esm.js';

const LABELS = ['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise',
  'neutral'];
const LUMA = [0.2989, 0.587, 0.114];

/** @returns {Promise<import('./measure.mjs').Network>} */
export async function load() {
  const wasmPath = new URL('./tfjs/', import.meta.url).href;
  const human = new Human({ backend: 'wasm', wasmPath });
  await human.init();
  const { tf } = human;
  if (tf.getBackend() !== 'wasm') throw new Error('no WebAssembly');
  const model = await tf.loadGraphModel('human/emotion.json');
  const [, side] = model.inputs[0].shape;
  const run = (image) => {
    const pixels = tf.expandDims(tf.browser.fromPixels(image), 0);
    const scaled = tf.image.resizeBilinear(tf.div(pixels, 255), [side, side]);
    const grey = tf.sum(tf.mul(scaled, LUMA), 3, true);
    return model.execute(tf.mul(tf.sub(grey, 0.5), 2));
  };
  const answer = async (image) => {
    const given = tf.tidy(() => run(image));
    const row = await given.data();
    given.dispose();
    return row;
  };
  return { labels: LABELS, answer };
}
