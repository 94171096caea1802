/**
 * Where in an image BlazeFace looks, and which of its boxes are faces: the
 * twin of `Search` in edge/search.py and of edge/faces.py.
 */

import { overlap } from './boxes.mjs';
import { cut, roundHalfEven } from './images.mjs';
import { scale } from './scaling.mjs';
import { suppress } from './suppression.mjs';
import { isWhole, levels, windows } from './windows.mjs';

/** @typedef {import('./images.mjs').Box} Box */
/** @typedef {import('./images.mjs').Image} Image */
/** @typedef {import('./blazeface.mjs').BlazeFace} BlazeFace */
/** @typedef {import('./blazeface.mjs').Found} Found */

/** Both networks over an image. */
export class Search {
  /**
   * @param {BlazeFace} short for faces near the camera.
   * @param {BlazeFace} back for smaller ones.
   * @param {object} numbers edge's, as `search` in settings.json has them.
   */
  constructor(short, back, numbers) {
    this.short = short;
    this.back = back;
    this.numbers = numbers;
  }

  /**
   * Finds the faces of a picture.
   * @param {Image} image
   * @returns {Promise<Box[]>} whole numbers, from left to right.
   */
  async inPicture(image) {
    const longer = Math.max(image.width, image.height);
    const least = roundHalfEven(longer * this.numbers.smallest_face);
    return asBoxes(await this.find(image, least));
  }

  /**
   * Finds the faces of a video's frame, in the time that there is.
   * @param {Image} image
   * @param {Box[]|null} known faces of the frame before; null looks anew.
   * @returns {Promise<Box[]>} whole numbers, from left to right.
   */
  async inFrame(image, known) {
    if (known) return asBoxes(await this.follow(image, known));
    const longer = Math.max(image.width, image.height);
    return asBoxes(await this.find(image, longer));
  }

  /**
   * @param {Image} image
   * @param {number} leastPx
   * @returns {Promise<Found[]>}
   */
  async find(image, leastPx) {
    const longerPx = Math.max(image.width, image.height);
    const seen = await this.look(image, this.short, this.short.size);
    const found = seen.filter((face) => this.isLarge(image, face));
    const wanted = { longerPx, leastPx };
    for (const side of levels(this.back.size, wanted, this.numbers)) {
      found.push(...(await this.look(image, this.back, side)));
    }
    return suppress(found, this.numbers);
  }

  /**
   * Finds known faces again, and large ones that are new.
   * @param {Image} image
   * @param {Box[]} known
   * @returns {Promise<Found[]>}
   */
  async follow(image, known) {
    const { overlap: same } = this.numbers;
    const seen = await this.look(image, this.short, this.short.size);
    const isSame = (one) => (other) => overlap(one, other) > same;
    const found = seen.filter(
      (face) => known.some(isSame(face)) || this.isLarge(image, face),
    );
    for (const box of known) {
      if (!seen.some(isSame(box))) {
        found.push(...(await this.lookNear(image, box)));
      }
    }
    return suppress(found, this.numbers);
  }

  /**
   * @param {Image} image
   * @param {Found} face
   * @returns {boolean} whether `short` is trusted with it.
   */
  isLarge(image, face) {
    const least =
      this.numbers.short_from * Math.max(image.width, image.height);
    return Math.max(face.width, face.height) >= least;
  }

  /**
   * Looks around a place where a face was.
   * @param {Image} image
   * @param {Box} box
   * @returns {Promise<Found[]>}
   */
  async lookNear(image, box) {
    const side = this.numbers.near_sides * Math.max(box.width, box.height);
    const x = Math.max(box.left + (box.width - side) / 2, 0);
    const y = Math.max(box.top + (box.height - side) / 2, 0);
    const right = Math.min(x + side, image.width);
    const bottom = Math.min(y + side, image.height);
    if (right - x < 1 || bottom - y < 1) return []; // It has left the image.
    const [left, top] = [Math.trunc(x), Math.trunc(y)];
    const width = Math.ceil(right) - left;
    const height = Math.ceil(bottom) - top;
    const part = cut(image, { left, top, width, height });
    const found = await this.look(part, this.short, this.short.size);
    return found
      .map((face) => moved(face, left, top))
      .filter((face) => overlap(face, box) > this.numbers.overlap);
  }

  /**
   * All faces at one scale.
   * @param {Image} image
   * @param {BlazeFace} network
   * @param {number} longerPx of the image's longer side at that scale.
   * @returns {Promise<Found[]>} in pixels of the image.
   */
  async look(image, network, longerPx) {
    const factor = longerPx / Math.max(image.width, image.height);
    const [width, height] = [image.width, image.height].map((length) =>
      Math.max(1, roundHalfEven(length * factor)),
    );
    const shown = scale(image, width, height);
    const score = this.leastScore(network, longerPx);
    const found = [];
    for (const corner of windows(shown, network.size, this.numbers)) {
      for (const face of await network.find(shown, corner, score)) {
        const place = { shown, corner, side: network.size };
        if (isWhole(face, place, this.numbers)) {
          found.push(moved(face, ...corner));
        }
      }
    }
    return found.map((face) =>
      enlarged(face, image.width / width, image.height / height),
    );
  }

  /**
   * @param {BlazeFace} network
   * @param {number} longerPx
   * @returns {number}
   */
  leastScore(network, longerPx) {
    const isWhole = network === this.back && longerPx === network.size;
    const { whole_back_score: stricter, least_score: usual } = this.numbers;
    return isWhole ? stricter : usual;
  }
}

/**
 * @param {Found} face
 * @param {number} x
 * @param {number} y
 * @returns {Found}
 */
function moved(face, x, y) {
  return { ...face, left: face.left + x, top: face.top + y };
}

/**
 * @param {Found} face
 * @param {number} across
 * @param {number} down
 * @returns {Found}
 */
function enlarged({ left, top, width, height, score }, across, down) {
  return {
    left: left * across,
    top: top * down,
    width: width * across,
    height: height * down,
    score,
  };
}

/**
 * @param {Found[]} found
 * @returns {Box[]} whole numbers, from left to right.
 */
function asBoxes(found) {
  const keys = ['left', 'top', 'width', 'height'];
  return found
    .map((face) =>
      Object.fromEntries(keys.map((key) => [key, roundHalfEven(face[key])])),
    )
    .filter((box) => box.width > 0 && box.height > 0)
    .sort((one, other) => {
      const key = keys.find((each) => one[each] !== other[each]);
      return key ? one[key] - other[key] : 0;
    });
}
