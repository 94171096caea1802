/** Draws a picture with its faces: boxes, numbers and labels. */

import { intersection } from './boxes.mjs';
import { colour, ink } from './colours.mjs';
import { answerOf } from './words.mjs';

/** @typedef {import('./analyser.mjs').Face} Face */
/** @typedef {import('./images.mjs').Box} Box */

// A picture is shown with so many pixels at most; it is judged with all.
const MAX_SHOWN_PX = 1600;
const QUIET = '#8c8c8c';
// Letters: so high on the screen, or this part of the box where it is large.
const LETTERS_CSS_PX = 14;
const LETTERS_OF_BOX = 1 / 9;
const LETTERS_OF_PICTURE = 1 / 14;

/** The canvas of the page. */
export class View {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext('2d');
  }

  /**
   * Shows a picture and its faces.
   * @param {CanvasImageSource & {width: number, height: number}} source
   * @param {Face[]} faces
   * @param {boolean} isMirrored as one sees oneself; boxes move, not pixels.
   */
  show(source, faces, isMirrored) {
    const longer = Math.max(source.width, source.height);
    const factor = Math.min(1, MAX_SHOWN_PX / longer);
    const width = Math.max(1, Math.round(source.width * factor));
    const height = Math.max(1, Math.round(source.height * factor));
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    this.pen.setTransform(isMirrored ? -1 : 1, 0, 0, 1, 0, 0);
    this.pen.clearRect(isMirrored ? -width : 0, 0, width, height);
    this.pen.drawImage(source, isMirrored ? -width : 0, 0, width, height);
    this.pen.resetTransform();
    const placed = faces.map((face) => ({
      ...face,
      box: shownBox(face.box, factor, isMirrored ? width : 0),
    }));
    this.drawFaces(placed);
  }

  /** @param {Face[]} faces with boxes in pixels of the canvas. */
  drawFaces(faces) {
    const found = faces.filter((face) => face.isFound);
    const taken = found.map((face) => face.box);
    for (const face of found) this.drawBox(face);
    for (const face of faces) taken.push(this.drawWords(face, taken));
  }

  /** @param {Face} face */
  drawBox({ box, label, isSure }) {
    const thick = Math.max(2 * this.pixel(), box.width / 40);
    const { left, top, width, height } = box;
    this.pen.setLineDash(isSure ? [] : [2 * thick, 2 * thick]);
    this.pen.lineWidth = thick;
    this.pen.strokeStyle = isSure ? colour(label) : QUIET;
    this.pen.strokeRect(left, top, width, height);
  }

  /**
   * Writes at a face, where nothing else is if there is such a place.
   * @param {Face} face
   * @param {Box[]} taken
   * @returns {Box} the place.
   */
  drawWords(face, taken) {
    const said = face.isSure ? answerOf(face) : 'unsure';
    const text = `${face.number} ${said}`;
    const letters = this.lettersPx(face.box);
    this.pen.font = `600 ${letters}px system-ui, sans-serif`;
    const width = this.pen.measureText(text).width + letters / 2;
    const place = this.findPlace(face, { width, height: 1.3 * letters }, taken);
    this.pen.fillStyle = face.isSure ? colour(face.label) : QUIET;
    this.pen.fillRect(place.left, place.top, place.width, place.height);
    this.pen.fillStyle = face.isSure ? ink(face.label) : '#000';
    const [x, y] = [place.left + letters / 4, place.top + letters];
    this.pen.fillText(text, x, y);
    return place;
  }

  /**
   * @param {Face} face
   * @param {{width: number, height: number}} needed
   * @param {Box[]} taken
   * @returns {Box}
   */
  findPlace({ box }, needed, taken) {
    const places = placesAt(box, needed);
    const isFree = (place) =>
      this.isInside(place) &&
      taken.every((other) => other === box || !intersection(place, other));
    const free = places.find(isFree);
    if (free) return free;
    const { width, height } = this.canvas;
    const left = Math.max(0, Math.min(box.left, width - needed.width));
    const top = Math.max(0, Math.min(box.top, height - needed.height));
    return { left, top, ...needed };
  }

  /**
   * @param {Box} place
   * @returns {boolean}
   */
  isInside({ left, top, width, height }) {
    const isAcross = left >= 0 && left + width <= this.canvas.width;
    return isAcross && top >= 0 && top + height <= this.canvas.height;
  }

  /**
   * @param {Box} box
   * @returns {number}
   */
  lettersPx(box) {
    const { width, height } = this.canvas;
    const most = Math.max(9, Math.min(width, height) * LETTERS_OF_PICTURE);
    const wanted = Math.max(
      LETTERS_CSS_PX * this.pixel(),
      box.width * LETTERS_OF_BOX,
    );
    return Math.round(Math.min(wanted, most));
  }

  /** @returns {number} pixels of the canvas in one of the screen. */
  pixel() {
    const shown = this.canvas.clientWidth || this.canvas.width;
    return this.canvas.width / shown;
  }
}

/**
 * @param {Box} box in pixels of the picture.
 * @param {number} factor
 * @param {number} mirrorAt width of the canvas that is mirrored, or 0.
 * @returns {Box} in pixels of the canvas.
 */
function shownBox(box, factor, mirrorAt) {
  const width = box.width * factor;
  const left = box.left * factor;
  return {
    left: mirrorAt ? mirrorAt - left - width : left,
    top: box.top * factor,
    width,
    height: box.height * factor,
  };
}

/**
 * @param {Box} box
 * @param {{width: number, height: number}} needed
 * @returns {Box[]} above, below, at the sides of and in a box.
 */
function placesAt({ left, top, width, height }, needed) {
  const right = left + width;
  return [
    [left, top - needed.height],
    [left, top + height],
    [right - needed.width, top - needed.height],
    [right - needed.width, top + height],
    [right, top],
    [left - needed.width, top],
    [left, top],
  ].map(([x, y]) => ({ left: x, top: y, ...needed }));
}
