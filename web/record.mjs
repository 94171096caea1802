/**
 * What was seen over time: a line of CSV for each face of each frame, and for
 * people a row for each time that a face shows one thing.
 */

import { faceLine, header } from './csv.mjs';
import { clock, percent } from './words.mjs';

/** @typedef {import('./analyser.mjs').Face} Face */

// An hour of three faces at 30 frames a second; then the oldest lines go.
const MAX_LINES = 330_000;
const MAX_ROWS = 500;
// A face that was away for longer begins a new row.
const GAP_S = 1;

/** The record of one visit. */
export class Record {
  /** @param {HTMLTableSectionElement} body of the table. */
  constructor(body) {
    this.body = body;
    this.labels = [];
    this.forget();
  }

  /** Forgets everything. */
  forget() {
    this.lines = [];
    this.spells = new Map();
    this.source = null;
    this.body.replaceChildren();
  }

  /**
   * Begins with a file or the camera.
   * @param {string} name
   * @param {string[]} labels of the model.
   */
  begin(name, labels) {
    if (labels.join() !== this.labels.join()) this.forget();
    this.labels = labels;
    this.source = name;
    this.spells.clear();
    const row = this.body.insertRow();
    const head = document.createElement('th');
    Object.assign(head, { scope: 'rowgroup', colSpan: 4, textContent: name });
    row.append(head);
  }

  /**
   * Adds the faces of a picture or of a frame.
   * @param {Face[]} faces
   * @param {{frame?: number, seconds?: number}} time of a frame.
   */
  add(faces, time = {}) {
    for (const face of faces) {
      this.lines.push(faceLine({ name: this.source, ...time }, face));
      this.addToTable(face, time.seconds);
    }
    if (this.lines.length > MAX_LINES) this.lines.splice(0, MAX_LINES / 10);
    while (this.body.rows.length > MAX_ROWS) this.body.deleteRow(0);
  }

  /**
   * @returns {Blob} the CSV file.
   */
  asCsv() {
    return new Blob([header(this.labels), ...this.lines], {
      type: 'text/csv',
    });
  }

  /**
   * @param {Face} face
   * @param {number|undefined} seconds
   */
  addToTable(face, seconds) {
    const shown = face.isSure ? face.label : 'unsure';
    let spell = this.spells.get(face.number);
    const isOver =
      spell?.shown !== shown || !(seconds - spell.to <= GAP_S);
    if (isOver) {
      const row = this.body.insertRow();
      row.className = face.isSure ? '' : 'unsure';
      for (let cell = 0; cell < 4; cell++) row.insertCell();
      spell = { shown, row, from: seconds, to: seconds, sum: 0, count: 0 };
      this.spells.set(face.number, spell);
    }
    spell.to = seconds;
    spell.sum += face.probability;
    spell.count += 1;
    fillRow(spell, face.number);
  }
}

/**
 * @param {object} spell
 * @param {number} number
 */
function fillRow({ row, shown, from, to, sum, count }, number) {
  const when = from === undefined ? '' : `${clock(from)} to ${clock(to)}`;
  [when, number, shown, percent(sum / count)].forEach((text, index) => {
    row.cells[index].textContent = text;
  });
}
