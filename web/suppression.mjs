/** Many boxes -> each face once: the twin of `suppress` in edge/search.py. */

import { area, intersection, overlap } from './boxes.mjs';

/** @typedef {import('./blazeface.mjs').Found} Found */

/**
 * Weighted non-maximum suppression: boxes that overlap the strongest one are
 * averaged with it, boxes inside it are dropped.
 * @param {Found[]} found in any order.
 * @param {{overlap: number, inside: number}} numbers edge's.
 * @returns {Found[]} each face once, strongest first.
 */
export function suppress(found, numbers) {
  const isSame = (one, other) =>
    one === other || overlap(one, other) > numbers.overlap;
  const isPart = (one, other) =>
    intersection(one, other) >
    numbers.inside * Math.min(area(one), area(other));
  let left = [...found].sort((one, other) => other.score - one.score);
  const kept = [];
  while (left.length > 0) {
    const [best] = left;
    kept.push(mean(left.filter((face) => isSame(best, face))));
    left = left.filter((face) => !isSame(best, face) && !isPart(best, face));
  }
  return kept;
}

/**
 * @param {Found[]} group boxes of one face, strongest first.
 * @returns {Found} their mean, weighted by score, with the best score.
 */
function mean(group) {
  const total = group.reduce((sum, face) => sum + face.score, 0);
  const of = (key) =>
    group.reduce((sum, face) => sum + (face[key] * face.score) / total, 0);
  const [left, top] = [of('left'), of('top')];
  const [width, height] = [of('width'), of('height')];
  return { left, top, width, height, score: group[0].score };
}
