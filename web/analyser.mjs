/** An image -> the faces in it: the twin of edge/analyser.py. */

import { square, whole } from './boxes.mjs';
import { contrast, cut } from './images.mjs';

/** @typedef {import('./images.mjs').Box} Box */
/** @typedef {import('./images.mjs').Image} Image */

/**
 * A face and what it shows.
 * @typedef {object} Face
 * @property {number} number from 1; in a video the same for the same face.
 * @property {Box} box
 * @property {number[]} probabilities in the order of the labels.
 * @property {string} label the most probable one.
 * @property {number} probability its probability.
 * @property {boolean} isSure
 * @property {boolean} isFound by the detector; else it is the whole picture.
 */

/** Answers for the faces of an image. */
export class Analyser {
  /**
   * @param {import('./classifier.mjs').Classifier} classifier
   * @param {import('./search.mjs').Search} search
   * @param {object} numbers edge's, as `analyser` in settings.json has them,
   *     with the detector's `crop` and the model's `min_confidence`.
   */
  constructor(classifier, search, numbers) {
    this.classifier = classifier;
    this.search = search;
    this.numbers = numbers;
  }

  /**
   * Finds the faces of a picture and answers for each.
   * @param {Image} image
   * @returns {Promise<Face[]>}
   */
  async inPicture(image) {
    const boxes = await this.search.inPicture(image);
    const longer = Math.max(image.width, image.height);
    const isFound = boxes.length > 0 || longer > this.numbers.crop_up_to_px;
    const seen = isFound ? boxes : [whole(image)];
    const answers = await this.answer(image, seen, isFound);
    return answers.map(({ box, row }, index) =>
      this.face(row, { number: index + 1, box, isFound }),
    );
  }

  /**
   * Finds the faces of a video's frame and answers for each.
   * @param {Image} image
   * @param {import('./tracks.mjs').Tracker} tracker
   * @param {number} seconds
   * @returns {Promise<Face[]>}
   */
  async inFrame(image, tracker, seconds) {
    const seen = await this.search.inFrame(image, tracker.known());
    const answers = await this.answer(image, seen, true);
    const boxes = answers.map(({ box }) => box);
    const rows = answers.map(({ row }) => row);
    return tracker
      .update(seconds, boxes, rows)
      .map(({ number, probabilities }, index) =>
        this.face(probabilities, { number, box: boxes[index], isFound: true }),
      );
  }

  /**
   * @param {Image} image
   * @param {Box[]} boxes
   * @param {boolean} isFound
   * @returns {Promise<{box: Box, row: number[]}[]>} without those whose pixels
   *     are all of one grey level.
   */
  async answer(image, boxes, isFound) {
    const answers = [];
    for (const box of boxes) {
      const place = isFound ? square(box, this.numbers.crop, image) : box;
      const crop = cut(image, place);
      if (contrast(crop) >= this.numbers.least_contrast) {
        answers.push({ box, row: await this.classifier.classify(crop) });
      }
    }
    return answers;
  }

  /**
   * @param {number[]} probabilities
   * @param {{number: number, box: Box, isFound: boolean}} known
   * @returns {Face}
   */
  face(probabilities, known) {
    const probability = Math.max(...probabilities);
    const label =
      this.classifier.labels[probabilities.indexOf(probability)];
    const isSure = probability >= this.numbers.min_confidence;
    return { ...known, probabilities, label, probability, isSure };
  }
}
