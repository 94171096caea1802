/** A model file -> probabilities: the twin of edge/classifier.py. */

import { Network } from './litert.mjs';
import { readModelFile } from './model_file.mjs';
import { mirror, prepare } from './pixels.mjs';

/** @typedef {import('./images.mjs').Image} Image */

// Models of ours give bytes in steps of 1/256, or floating point.
const STEPS = 256;

/** A model that is ready to answer. */
export class Classifier {
  /**
   * Use `Classifier.load`.
   * @param {import('./model_file.mjs').ModelFile} file
   * @param {Network} network
   */
  constructor(file, network) {
    this.labels = file.labels;
    this.size = file.metadata.image_size;
    this.channels = file.metadata.channels;
    this.network = network;
  }

  /**
   * Loads a model file.
   * @param {Uint8Array} content
   * @returns {Promise<Classifier>}
   */
  static async load(content) {
    const file = await readModelFile(content);
    return new Classifier(file, await Network.load(content));
  }

  /**
   * Answers for pixels of the model's shape, one view of them.
   * @param {Uint8Array} pixels as `prepare` gives them.
   * @returns {Promise<number[]>} a probability for each label.
   */
  async probabilities(pixels) {
    const values = this.network.takesBytes ? pixels : Float32Array.from(pixels);
    const [given] = await this.network.run(values);
    const steps = given instanceof Uint8Array ? STEPS : 1;
    return Array.from(given, (value) => value / steps);
  }

  /**
   * Answers for a face: the mean over it and its mirror image.
   * @param {Image} crop
   * @returns {Promise<number[]>} a probability for each label.
   */
  async classify(crop) {
    const pixels = prepare(crop, this.size, this.channels);
    const mirrored = mirror(pixels, this.size, this.channels);
    const one = await this.probabilities(pixels);
    const other = await this.probabilities(mirrored);
    return one.map((value, index) => (value + other[index]) / 2);
  }

  /** Gives the model's memory back. */
  delete() {
    this.network.delete();
  }
}
