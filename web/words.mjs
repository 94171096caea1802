/** What is said of a face, in a picture, in a card and to a screen reader. */

/** @typedef {import('./analyser.mjs').Face} Face */

/**
 * @param {number} probability
 * @returns {string}
 */
export function percent(probability) {
  return `${Math.round(100 * probability)}%`;
}

/**
 * @param {Face} face
 * @returns {string} as "happy 93%" or "unsure (happy 41%)".
 */
export function answerOf({ label, probability, isSure }) {
  const said = `${label} ${percent(probability)}`;
  return isSure ? said : `unsure (${said})`;
}

/**
 * @param {Face[]} faces
 * @returns {string} a sentence about all of them.
 */
export function summary(faces) {
  if (faces.length === 0) return 'No face was found.';
  const count = faces.length === 1 ? 'One face' : `${faces.length} faces`;
  const said = faces.map((face) =>
    face.isFound
      ? `face ${face.number} ${answerOf(face)}`
      : `${answerOf(face)}, the picture taken whole`,
  );
  return `${count}: ${said.join(', ')}.`;
}

/**
 * @param {number} seconds
 * @returns {string} as "1:07".
 */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const rest = String(whole % 60).padStart(2, '0');
  return `${Math.floor(whole / 60)}:${rest}`;
}
