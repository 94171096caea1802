/**
 * Loads one network, answers for the pictures one by one, and posts twice:
 * after its first answer, and when it has answered for all.
 */

const SIDE = 48;
const WARM_UP = 50;
// Pictures timed at a time: a browser's clock is too coarse for a single one.
const BLOCK = 5;

/** @typedef {{labels: string[], answer: Answer}} Network */
/** @typedef {(image: ImageData) => Promise<ArrayLike<number>>} Answer */

/**
 * @param {string} name of a file of grey pictures, byte after byte.
 * @returns {Promise<ImageData[]>}
 */
async function loadPictures(name) {
  const grey = new Uint8Array(await (await fetch(name)).arrayBuffer());
  const each = SIDE * SIDE;
  const pictures = [];
  for (let from = 0; from < grey.length; from += each) {
    const image = new ImageData(SIDE, SIDE);
    for (let at = 0; at < each; at++) {
      image.data.fill(grey[from + at], 4 * at, 4 * at + 3);
      image.data[4 * at + 3] = 255;
    }
    pictures.push(image);
  }
  return pictures;
}

/** @param {object} found */
async function post(found) {
  await fetch('result', { method: 'POST', body: JSON.stringify(found) });
}

/**
 * @param {ImageData[]} pictures
 * @param {Answer} answer
 * @returns {Promise<{best: number[], ms: number[]}>} of each picture which
 *     label is the most probable one, and of each block how long a picture
 *     took.
 */
async function answerAll(pictures, answer) {
  const best = [];
  const ms = [];
  for (let from = 0; from < pictures.length; from += BLOCK) {
    const block = pictures.slice(from, from + BLOCK);
    const begin = performance.now();
    for (const picture of block) {
      const given = Array.from(await answer(picture));
      best.push(given.indexOf(Math.max(...given)));
    }
    ms.push((performance.now() - begin) / block.length);
  }
  return { best, ms };
}

async function measure() {
  const { module, name } = Object.fromEntries(
    new URLSearchParams(location.search),
  );
  const [{ load }, [first]] = await Promise.all([
    import(`./${module}.mjs`),
    loadPictures('first.bin'),
  ]);
  const { labels, answer } = await load(name);
  await answer(first);
  await post({ firstMs: performance.now() });
  const pictures = await loadPictures('pictures.bin');
  await answerAll(pictures.slice(0, WARM_UP), answer);
  const { best, ms } = await answerAll(pictures, answer);
  await post({ ms, labels: best.map((index) => labels[index]) });
}

try {
  await measure();
} catch (error) {
  await post({ error: `${error}\n${error.stack}` });
}
