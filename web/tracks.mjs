/**
 * The same face from frame to frame, with stable numbers and calm
 * probabilities: the twin of edge/tracks.py.
 */

import { overlap } from './boxes.mjs';

/** @typedef {import('./images.mjs').Box} Box */
/** @typedef {{number: number, probabilities: number[]}} Numbered */

/** Numbers faces and averages their probabilities over time. */
export class Tracker {
  /**
   * @param {object} numbers edge's, as `tracks` in settings.json has them.
   */
  constructor(numbers) {
    this.numbers = numbers;
    this.tracks = [];
    this.nextNumber = 1;
    this.updates = 0;
  }

  /**
   * Where the faces of the last second were seen last.
   * @returns {Box[]|null} null stands for "look everywhere again".
   */
  known() {
    if (this.updates % this.numbers.search_every === 0) return null;
    return this.tracks.map((track) => track.box);
  }

  /**
   * Takes the faces of the next frame.
   * @param {number} seconds when it was taken; never decreases.
   * @param {Box[]} boxes
   * @param {number[][]} probabilities of each box.
   * @returns {Numbered[]} for each box its number, and the average.
   */
  update(seconds, boxes, probabilities) {
    this.updates += 1;
    this.tracks = this.tracks.filter(
      (track) => seconds - track.seen <= this.numbers.forget_after_s,
    );
    const known = this.match(boxes);
    return boxes.map((box, index) => {
      const track = known.get(index) ?? this.begin();
      this.proceed(track, { seconds, box, now: probabilities[index] });
      return { number: track.number, probabilities: track.probabilities };
    });
  }

  /**
   * @param {Box[]} boxes
   * @returns {Map<number, object>} box index -> track, best overlaps first.
   */
  match(boxes) {
    const pairs = this.tracks.flatMap((track) =>
      boxes.map((box, index) => ({
        shared: overlap(this.grown(track.box), this.grown(box)),
        track,
        index,
      })),
    );
    pairs.sort(
      (a, b) =>
        b.shared - a.shared ||
        a.track.number - b.track.number ||
        b.index - a.index,
    );
    const known = new Map();
    const taken = new Set();
    for (const { shared, track, index } of pairs) {
      if (shared < this.numbers.same_face) break;
      if (taken.has(track) || known.has(index)) continue;
      taken.add(track);
      known.set(index, track);
    }
    return known;
  }

  /** @returns {object} a track of a face that is new. */
  begin() {
    const track = { number: this.nextNumber++, probabilities: null };
    this.tracks.push(track);
    return track;
  }

  /**
   * @param {object} track
   * @param {{seconds: number, box: Box, now: number[]}} seen
   */
  proceed(track, { seconds, box, now }) {
    const past = track.probabilities ?? now;
    const elapsed = seconds - (track.seen ?? seconds);
    const weight = 1 - Math.exp(-elapsed / this.numbers.smoothing_s);
    track.probabilities = past.map(
      (old, index) => old + weight * (now[index] - old),
    );
    Object.assign(track, { box, seen: seconds });
  }

  /**
   * @param {Box} box
   * @returns {Box} around the same centre, larger.
   */
  grown({ left, top, width, height }) {
    const more = this.numbers.grown - 1;
    return {
      left: left - Math.floor((width * more) / 2),
      top: top - Math.floor((height * more) / 2),
      width: width * (1 + more),
      height: height * (1 + more),
    };
  }
}
