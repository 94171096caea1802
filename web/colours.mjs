/** A colour for each expression: the twin of `colour` in edge/annotate.py. */

let table = {};

/** @param {Object<string, number[]>} colours of settings.json. */
export function useColours(colours) {
  table = colours;
}

/**
 * @param {string} label
 * @returns {number[]} red, green and blue.
 */
function of(label) {
  const others = Object.values(table);
  const bytes = new TextEncoder().encode(label);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  return table[label] ?? others[sum % others.length];
}

/**
 * @param {string} label
 * @returns {string} as CSS writes it.
 */
export function colour(label) {
  return `rgb(${of(label).join(' ')})`;
}

/**
 * @param {string} label
 * @returns {string} the colour of letters on the label's colour.
 */
export function ink(label) {
  const [red, green, blue] = of(label);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 100 ? '#000' : '#fff';
}
