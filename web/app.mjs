/** The page: what a person does, and what comes of it. */

import { useColours } from './colours.mjs';
import { loadAnalyser, loadSearch } from './engine.mjs';
import { filesNeeded } from './litert.mjs';
import { bringFiles, loadSettings, workOffline } from './loading.mjs';
import { LoadingError } from './loading.mjs';
import { ModelFileError } from './model_file.mjs';
import { canvas, grab, PictureError, readPicture } from './pictures.mjs';
import { Player } from './player.mjs';
import { element, Screen } from './screen.mjs';
import { Tracker } from './tracks.mjs';

const READY = 'Ready. Nothing is sent from here.';
const UNFORESEEN = 'Something went wrong that was not foreseen.';
const CAMERA = 'camera';
const TOLD = [LoadingError, ModelFileError, PictureError];

const screen = new Screen();
const player = new Player(element('video'));
/** What is loaded by now. */
export const parts = { settings: null, search: null, analyser: null };
// One thing after the other: a frame, a picture, the change of a model.
let last = Promise.resolve();
// Counts what was begun and stopped: of old files no more are looked at.
let errand = 0;

// For alive.js.
document.documentElement.dataset.alive = 'yes';

/** Settles when the page can be used, or has said why not. */
export const started = attempt(start);

/** Loads everything, and shows how far it is. */
async function start() {
  const settings = await loadSettings();
  parts.settings = settings;
  useColours(settings.colours);
  element('model').replaceChildren(
    ...settings.models.map(({ name }) => new Option(name)),
  );
  const { version } = settings;
  const files = await filesNeeded(settings.files);
  await bringFiles({ version, files }, (fraction, bytes) =>
    screen.progress(fraction, bytes),
  );
  await workOffline();
  parts.search = await loadSearch(settings);
  await chooseModel();
  screen.ready(READY);
  if (new URLSearchParams(location.search).has('check')) {
    const { check } = await import('./check.mjs');
    screen.ready(await check(settings));
  }
}

/** Takes the model that the menu shows. */
async function chooseModel() {
  const { settings, search } = parts;
  const model = settings.models[element('model').selectedIndex];
  const chosen = await loadAnalyser(settings, search, model);
  await inTurn(async () => {
    parts.analyser?.classifier.delete();
    parts.analyser = chosen;
  });
}

/**
 * Looks at one file after the other; one that is broken holds up no other.
 * @param {File[]} files pictures, or a video.
 * @throws {PictureError} of the first that cannot be used, with its name.
 */
async function look(files) {
  await stop();
  const mine = errand;
  const problems = [];
  for (const file of files) {
    if (mine !== errand) return;
    try {
      await lookAt(file);
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      problems.push(new PictureError(`${file.name}: ${error.message}`));
    }
  }
  if (problems.length > 0) throw problems[0];
}

/** @param {File} file */
async function lookAt(file) {
  if (file.type.startsWith('video/')) await lookAtVideo(file);
  else await inTurn(() => lookAtPicture(file));
}

/** @param {File} file */
async function lookAtPicture(file) {
  const image = await readPicture(file);
  const faces = await parts.analyser.inPicture(image);
  const { labels } = parts.analyser.classifier;
  screen.begin(file.name, labels);
  screen.show(canvas, faces, { labels });
}

/** @param {File} file */
async function lookAtVideo(file) {
  await watch(file.name, (onFrame) => player.playFile(file, onFrame));
}

/** Looks at what the camera sees, as in a mirror. */
async function lookAtCamera() {
  await stop();
  await watch(CAMERA, (onFrame) => player.playCamera(onFrame));
}

/**
 * @param {string} name
 * @param {(onFrame: Function) => Promise<void>} play
 */
async function watch(name, play) {
  const tracker = new Tracker(parts.settings.tracks);
  const isMirrored = name === CAMERA;
  screen.playing(true);
  try {
    await play((seconds, frame) =>
      inTurn(async () => {
        // Not before: a video that does not play has no part in the table.
        if (frame === 0) screen.begin(name, parts.analyser.classifier.labels);
        await lookAtFrame(tracker, { seconds, frame, isMirrored });
      }),
    );
  } finally {
    screen.playing(false);
  }
}

/**
 * @param {Tracker} tracker
 * @param {{seconds: number, frame: number, isMirrored: boolean}} time
 */
async function lookAtFrame(tracker, time) {
  const { videoWidth, videoHeight } = element('video');
  if (!videoWidth) return; // It was stopped meanwhile.
  const image = grab(element('video'), videoWidth, videoHeight);
  const { analyser } = parts;
  const faces = await analyser.inFrame(image, tracker, time.seconds);
  const { labels } = analyser.classifier;
  screen.show(canvas, faces, { labels, ...time });
}

/** Stops what plays, and waits for the frame that is being answered. */
async function stop() {
  errand += 1;
  player.stop();
  await inTurn(async () => {});
}

/**
 * @param {() => Promise<void>} work
 * @returns {Promise<void>} after all work that was given before.
 */
function inTurn(work) {
  const result = last.then(work);
  last = result.catch(() => {});
  return result;
}

/**
 * Runs what a person asked for; a problem becomes one sentence.
 * @param {() => Promise<void>} work
 */
async function attempt(work) {
  screen.problem();
  try {
    await work();
  } catch (error) {
    console.warn(error);
    const isTold = TOLD.some((kind) => error instanceof kind);
    screen.problem(isTold ? error.message : UNFORESEEN);
  }
}

/** Gives the table to the browser as a file. */
function save() {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(screen.record.asCsv());
  link.download = 'faces.csv';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * @param {DataTransfer} given what was dropped or pasted.
 */
function take(given) {
  const { files } = given;
  if (files.length > 0 && parts.analyser) attempt(() => look([...files]));
}

element('choose').onclick = () => element('file').click();
element('file').onchange = ({ target }) => {
  const files = [...target.files];
  target.value = ''; // The same file may be chosen again.
  if (files.length > 0) attempt(() => look(files));
};
element('camera').onclick = () => attempt(lookAtCamera);
element('stop').onclick = () => {
  attempt(stop);
  element('camera').focus();
};
element('model').onchange = () => attempt(chooseModel);
element('save').onclick = save;
element('forget').onclick = () => {
  screen.record.forget();
  element('choose').focus();
};
document.onpaste = ({ clipboardData }) => take(clipboardData);
document.ondragover = (event) => {
  event.preventDefault();
  document.body.classList.add('dropping');
};
document.ondragleave = () => document.body.classList.remove('dropping');
document.ondrop = (event) => {
  event.preventDefault();
  document.body.classList.remove('dropping');
  take(event.dataTransfer);
};
