/** What the page shows and says. */

import { showCards } from './cards.mjs';
import { Record } from './record.mjs';
import { View } from './view.mjs';
import { summary } from './words.mjs';

/** @typedef {import('./analyser.mjs').Face} Face */

// A screen reader is told of a video no more often.
const SAY_EVERY_MS = 3000;
const MEGABYTE = 1e6;
// What the newest frame counts in the frames per second that are shown.
const PACE_WEIGHT = 0.1;

/** The parts of the page. */
export class Screen {
  constructor() {
    this.view = new View(element('view'));
    this.record = new Record(element('rows'));
    this.lastSaid = 0;
    this.fps = 0;
    this.lastFrame = 0;
  }

  /**
   * How much of the page is there.
   * @param {number} fraction
   * @param {number} bytes of how many.
   */
  progress(fraction, bytes) {
    element('progress').value = fraction;
    const [done, all] = [fraction * bytes, bytes].map((count) =>
      (count / MEGABYTE).toFixed(1),
    );
    element('status').textContent = `Loading, ${done} of ${all} MB.`;
  }

  /**
   * Everything is there.
   * @param {string} text
   */
  ready(text) {
    element('progress').hidden = true;
    element('status').textContent = text;
    for (const name of ['choose', 'camera', 'model']) {
      element(name).disabled = false;
    }
  }

  /**
   * One sentence of what went wrong; none takes it away.
   * @param {string} sentence
   */
  problem(sentence = '') {
    element('problem').textContent = sentence;
    element('problem').hidden = !sentence;
    if (sentence) element('progress').hidden = true;
  }

  /**
   * Begins with a file or the camera.
   * @param {string} name
   * @param {string[]} labels
   */
  begin(name, labels) {
    this.problem();
    this.fps = this.lastFrame = this.lastSaid = 0;
    this.record.begin(name, labels);
  }

  /**
   * Shows a picture or a frame with its answers.
   * @param {CanvasImageSource} source
   * @param {Face[]} faces
   * @param {{labels: string[], isMirrored?: boolean, frame?: number,
   *     seconds?: number}} more
   */
  show(source, faces, { labels, isMirrored = false, ...time }) {
    element('answer').hidden = false;
    element('seen').hidden = false;
    this.view.show(source, faces, isMirrored);
    showCards(element('faces'), faces, labels);
    element('none').hidden = faces.length > 0;
    this.record.add(faces, time);
    this.say(faces, time.frame !== undefined);
  }

  /**
   * @param {Face[]} faces
   * @param {boolean} isVideo
   */
  say(faces, isVideo) {
    const now = performance.now();
    if (isVideo) this.count(now);
    element('view').setAttribute('aria-label', summary(faces));
    if (isVideo && now - this.lastSaid < SAY_EVERY_MS) return;
    this.lastSaid = now;
    element('status').textContent = summary(faces);
  }

  /** @param {number} now in ms, when a frame was answered. */
  count(now) {
    if (this.lastFrame) {
      const rate = 1000 / Math.max(now - this.lastFrame, 1);
      this.fps += (this.fps ? PACE_WEIGHT : 1) * (rate - this.fps);
      element('pace').textContent = `${this.fps.toFixed(1)} frames a second`;
    }
    this.lastFrame = now;
  }

  /** @param {boolean} isPlaying */
  playing(isPlaying) {
    element('stop').hidden = !isPlaying;
    if (!isPlaying) element('pace').textContent = '';
  }
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function element(id) {
  return document.getElementById(id);
}
