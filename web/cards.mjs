/** The list of faces beside the picture, each with a bar for each label. */

import { colour } from './colours.mjs';
import { answerOf, percent } from './words.mjs';

/** @typedef {import('./analyser.mjs').Face} Face */

/**
 * Shows the faces of now; cards that are there are used again.
 * @param {HTMLElement} list
 * @param {Face[]} faces
 * @param {string[]} labels
 */
export function showCards(list, faces, labels) {
  while (list.children.length > faces.length) list.lastChild.remove();
  faces.forEach((face, index) => {
    const old = list.children[index];
    const card = isFor(old, labels) ? old : makeCard(labels);
    if (!old) list.append(card);
    else if (card !== old) old.replaceWith(card);
    fill(card, face, labels);
  });
}

/**
 * @param {HTMLElement|undefined} card
 * @param {string[]} labels
 * @returns {boolean}
 */
function isFor(card, labels) {
  return card?.dataset.labels === labels.join(' ');
}

/**
 * @param {string[]} labels
 * @returns {HTMLElement}
 */
function makeCard(labels) {
  const card = make('li', 'face');
  card.dataset.labels = labels.join(' ');
  const bars = make('ul', 'bars');
  bars.append(...labels.map(makeBar));
  card.append(make('h3'), bars);
  return card;
}

/**
 * @param {string} label
 * @returns {HTMLElement}
 */
function makeBar(label) {
  const row = make('li');
  const bar = make('span', 'bar');
  bar.setAttribute('aria-hidden', 'true');
  const filled = make('i');
  filled.style.backgroundColor = colour(label);
  bar.append(filled);
  const name = make('span');
  name.textContent = label;
  row.append(name, bar, make('span', 'percent'));
  return row;
}

/**
 * @param {HTMLElement} card
 * @param {Face} face
 * @param {string[]} labels
 */
function fill(card, face, labels) {
  card.classList.toggle('unsure', !face.isSure);
  const name = face.isFound ? `Face ${face.number}` : 'The whole picture';
  card.querySelector('h3').textContent = `${name}: ${answerOf(face)}`;
  labels.forEach((_, index) => {
    const row = card.querySelectorAll('.bars li')[index];
    const shown = percent(face.probabilities[index]);
    row.querySelector('i').style.width = shown;
    row.querySelector('.percent').textContent = shown;
  });
}

/**
 * @param {string} name
 * @param {string} className
 * @returns {HTMLElement}
 */
function make(name, className = '') {
  const element = document.createElement(name);
  if (className) element.className = className;
  return element;
}
