/** Models and detector, loaded and put together. */

import { Analyser } from './analyser.mjs';
import { BlazeFace } from './blazeface.mjs';
import { Classifier } from './classifier.mjs';
import { loadRuntime } from './litert.mjs';
import { LoadingError, loadFile } from './loading.mjs';
import { ModelFileError } from './model_file.mjs';
import { Search } from './search.mjs';

const DETECTOR = 'blazeface';
const NO_WEBASSEMBLY =
  'This browser has no WebAssembly, which runs the models.';
const NOT_LOADED = 'The model could not be started in this browser.';

/**
 * Loads LiteRT and the detector.
 * @param {object} settings settings.json.
 * @returns {Promise<Search>}
 * @throws {LoadingError} says what is missing.
 */
export async function loadSearch(settings) {
  if (typeof WebAssembly === 'undefined') {
    throw new LoadingError(NO_WEBASSEMBLY);
  }
  const { short, back } = settings.detector;
  const numbers = {
    ...settings.search,
    smallest_face: settings.smallest_face[DETECTOR],
  };
  return explained(async () => {
    await loadRuntime();
    return new Search(
      await BlazeFace.load(await loadFile(short)),
      await BlazeFace.load(await loadFile(back)),
      numbers,
    );
  });
}

/**
 * Loads one of the models.
 * @param {object} settings settings.json.
 * @param {Search} search
 * @param {{file: string, min_confidence: number}} model of its list.
 * @returns {Promise<Analyser>}
 * @throws {LoadingError|ModelFileError} says what is wrong.
 */
export async function loadAnalyser(settings, search, model) {
  const content = await loadFile(model.file);
  const classifier = await explained(() => Classifier.load(content));
  return new Analyser(classifier, search, {
    ...settings.analyser,
    crop: settings.crops[DETECTOR],
    min_confidence: model.min_confidence,
  });
}

/**
 * @template T
 * @param {() => Promise<T>} load
 * @returns {Promise<T>}
 */
async function explained(load) {
  try {
    return await load();
  } catch (error) {
    const isTold =
      error instanceof LoadingError || error instanceof ModelFileError;
    if (isTold) throw error;
    throw new LoadingError(NOT_LOADED, { cause: error });
  }
}
