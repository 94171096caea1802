/**
 * The page's own check, with `?check` in its address: do the models answer
 * here as they do in Python?
 */

import { Classifier } from './classifier.mjs';
import { loadFile } from './loading.mjs';

/**
 * Compares every model with its golden vectors.
 * @param {object} settings settings.json.
 * @returns {Promise<string>} what came out, in sentences.
 */
export async function check(settings) {
  const said = [];
  for (const model of settings.models) {
    const { total, equal, worst } = await compare(model);
    const isGood = worst <= model.golden.tolerance;
    const verdict = isGood
      ? 'the check is passed'
      : 'the check is not passed, so do not trust its answers here';
    said.push(
      `${model.name}: ${equal} of ${total} golden pictures are answered ` +
        `with the very numbers of Python; ${verdict}.`,
    );
  }
  return said.join(' ');
}

/**
 * Answers a model's golden pictures.
 * @param {object} model of settings.json.
 * @returns {Promise<{total: number, equal: number, worst: number}>} how many
 *     answers are equal to the last bit, and the largest difference.
 */
export async function compare({ file, golden }) {
  const classifier = await Classifier.load(await loadFile(file));
  const pixels = await loadFile(golden.inputs);
  const each = classifier.size ** 2 * classifier.channels;
  const differences = [];
  for (const [index, expected] of golden.probabilities.entries()) {
    const image = pixels.slice(index * each, (index + 1) * each);
    const answer = await classifier.probabilities(image);
    const apart = answer.map((value, i) => Math.abs(value - expected[i]));
    differences.push(Math.max(...apart));
  }
  classifier.delete();
  const equal = differences.filter((difference) => difference === 0).length;
  const worst = Math.max(...differences);
  return { total: differences.length, equal, worst };
}
