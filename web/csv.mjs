/** Rows of a CSV file, with the columns of `python -m edge --csv`. */

const COLUMNS = [
  ...['input', 'frame', 'seconds', 'face', 'left', 'top', 'width', 'height'],
  ...['detector', 'label', 'unsure'],
];
const DETECTOR = 'blazeface';
// What makes a spreadsheet take a cell for a formula, also as wide letters.
const FORMULA = /^[=+\-@\uff1d\uff0b\uff0d\uff20]/;
const UNSAFE = /\p{C}/gu;

/**
 * @param {string[]} labels
 * @returns {string} the first line.
 */
export function header(labels) {
  return line([...COLUMNS, ...labels]);
}

/**
 * @param {{name: string, frame?: number, seconds?: number}} place
 * @param {import('./analyser.mjs').Face} face
 * @returns {string} its line.
 */
export function faceLine({ name, frame, seconds }, face) {
  const { left, top, width, height } = face.box;
  return line([
    ...[name, frame ?? '', seconds === undefined ? '' : seconds.toFixed(4)],
    ...[face.number, left, top, width, height],
    ...[face.isFound ? DETECTOR : '', face.label, Number(!face.isSure)],
    ...face.probabilities.map((value) => value.toFixed(6)),
  ]);
}

/**
 * @param {(string|number)[]} cells
 * @returns {string} with the end of the line.
 */
function line(cells) {
  return `${cells.map(cell).join(',')}\n`;
}

/**
 * @param {string|number} value
 * @returns {string} no formula, and quoted where it must be.
 */
function cell(value) {
  if (typeof value === 'number') return String(value);
  const plain = value.replace(UNSAFE, '?');
  const safe = FORMULA.test(plain) ? `'${plain}` : plain;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
