/** Our page's own modules, with one of its models: one view of each picture. */

import { Classifier } from './ours/classifier.mjs';
import { loadRuntime } from './ours/litert.mjs';
import { prepare } from './ours/pixels.mjs';

/**
 * @param {string} name of the model.
 * @returns {Promise<import('./measure.mjs').Network>}
 */
export async function load(name) {
  const [model] = await Promise.all([
    fetch(`ours/models/${name}.tflite`),
    loadRuntime(),
  ]);
  const content = new Uint8Array(await model.arrayBuffer());
  const classifier = await Classifier.load(content);
  const { labels, size, channels } = classifier;
  const answer = (image) =>
    classifier.probabilities(prepare(image, size, channels));
  return { labels, answer };
}
