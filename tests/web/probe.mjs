/** Does with the page what a person would, and posts what came of it. */

import { parts, started } from './app.mjs';
import { compare } from './check.mjs';
import { square, whole } from './boxes.mjs';
import { cut } from './images.mjs';
import { prepare } from './pixels.mjs';
import { readPicture } from './pictures.mjs';

const PATIENCE_MS = 60_000;
const blocked = [];
document.addEventListener('securitypolicyviolation', ({ blockedURI }) =>
  blocked.push(blockedURI),
);
const find = (id) => document.getElementById(id);
const STAGES = { plain, offline, nowasm, nothing: () => {} };

async function post(found) {
  await fetch('result', { method: 'POST', body: JSON.stringify(found) });
}

async function until(isTrue, what) {
  const end = performance.now() + PATIENCE_MS;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function cards() {
  return [...document.querySelectorAll('#faces h3')].map(
    (head) => head.textContent,
  );
}

/** The pixels and the answers of a picture. */
async function examine(file) {
  const image = await readPicture(file);
  const faces = await parts.analyser.inPicture(image);
  return {
    shape: [image.height, image.width],
    prepared: prepared(image, whole(image)),
    faces: faces.map((face) => ({
      ...face,
      box: asList(face.box),
      prepared: prepared(image, judged(face, image)),
    })),
  };
}

function asList({ left, top, width, height }) {
  return [left, top, width, height];
}

function judged({ box, isFound }, image) {
  return isFound ? square(box, parts.settings.crops.blazeface, image) : box;
}

function prepared(image, box) {
  const { size, channels } = parts.analyser.classifier;
  return Array.from(prepare(cut(image, box), size, channels));
}

/** Boxes of the frames of a video, found by following. */
async function follow(files) {
  const { Tracker } = await import('./tracks.mjs');
  const tracker = new Tracker(parts.settings.tracks);
  const frames = [];
  for (const [index, file] of files.entries()) {
    const image = await readPicture(file);
    const faces = await parts.analyser.inFrame(image, tracker, index / 25);
    frames.push(
      faces.map(({ number, box, probabilities }) => ({
        number,
        box: asList(box),
        probabilities,
      })),
    );
  }
  return frames;
}

function transfer(file) {
  const given = new DataTransfer();
  given.items.add(file);
  return given;
}

/** Gives a file to the page in each of the three ways. */
async function give(way, file) {
  const status = find('status');
  const given = transfer(file);
  status.textContent = '';
  if (way === 'choose') {
    find('file').files = given.files;
    find('file').dispatchEvent(new Event('change'));
  } else if (way === 'drop') {
    const drop = { dataTransfer: given, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new DragEvent('drop', drop));
  } else {
    const paste = new ClipboardEvent('paste', { bubbles: true });
    // Firefox leaves files out of those that a script makes.
    Object.defineProperty(paste, 'clipboardData', { value: given });
    document.body.dispatchEvent(paste);
  }
  await until(() => status.textContent || !find('problem').hidden, way);
  return { cards: cards(), problem: find('problem').textContent };
}

async function watchCamera(frames) {
  const seen = [];
  find('camera').click();
  await until(() => {
    // It is there from the second frame on.
    if (find('pace').textContent) seen.push(cards());
    return seen.length >= frames || !find('problem').hidden;
  }, 'frames of the camera');
  const video = find('video');
  const [track] = video.srcObject.getTracks();
  const pace = find('pace').textContent;
  find('stop').click();
  await until(() => find('stop').hidden, 'stop');
  return { seen, pace, track: track.readyState, source: video.srcObject };
}

/** Records a drawn video in the page, and gives it as a file. */
async function watchVideo(files) {
  const images = await Promise.all(files.map((f) => createImageBitmap(f)));
  const canvas = document.createElement('canvas');
  canvas.width = images[0].width;
  canvas.height = images[0].height;
  const pen = canvas.getContext('2d');
  const recorder = new MediaRecorder(canvas.captureStream(20));
  const chunks = [];
  recorder.ondataavailable = ({ data }) => chunks.push(data);
  recorder.start();
  for (let turn = 0; turn < 15; turn++) {
    pen.drawImage(images[turn % images.length], 0, 0);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  recorder.stop();
  await new Promise((resolve) => (recorder.onstop = resolve));
  const file = new File(chunks, 'clip.webm', { type: 'video/webm' });
  find('forget').click();
  const { cards: first } = await give('choose', file);
  await until(() => find('stop').hidden, 'the end of the video');
  return { first, rows: find('rows').innerText };
}

/** Presses a camera that is refused, or is not there. */
async function withoutCamera(name) {
  navigator.mediaDevices.getUserMedia = () =>
    Promise.reject(new DOMException('', name));
  find('camera').click();
  await until(() => !find('problem').hidden, name);
  return find('problem').textContent;
}

/** Clicks on Save and reads the file that comes. */
async function saved() {
  let blob;
  const { createObjectURL } = URL;
  URL.createObjectURL = (given) => createObjectURL.call(URL, (blob = given));
  HTMLAnchorElement.prototype.click = () => {};
  find('save').click();
  URL.createObjectURL = createObjectURL;
  return blob.text();
}

/** Tries to reach another server in every way that there is. */
async function reachOut(stranger) {
  const way = (kind) => `${stranger}${kind}`;
  await fetch(way('fetch'), { mode: 'no-cors' }).catch(() => {});
  navigator.sendBeacon(way('beacon'));
  new Image().src = way('image');
  const elements = ['script', 'iframe', 'video'].map((name) => {
    const element = document.createElement(name);
    element.src = way(name);
    return element;
  });
  document.body.append(...elements);
  const style = document.createElement('link');
  Object.assign(style, { rel: 'stylesheet', href: way('style') });
  document.head.append(style);
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (const element of [...elements, style]) element.remove();
}

async function examineAll(plan, fetched) {
  const pictures = {};
  for (const name of plan.pictures) {
    pictures[name] = await examine(fetched[name]);
  }
  return pictures;
}

async function compareAll() {
  const golden = {};
  for (const model of parts.settings.models) {
    golden[model.name] = await compare(model);
  }
  return golden;
}

/** As a browser without relaxed SIMD. */
async function plain() {
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (content, ...more) => {
    if (content.byteLength < 1000) throw new Error('not in this browser');
    return instantiate(content, ...more);
  };
  await started;
  await post({ golden: await compareAll(), isOfflineNow: true });
  location.search = 'offline';
}

async function look(plan, found) {
  await started;
  found.problem = find('problem').textContent;
  found.status = find('status').textContent;
  found.limits = document.querySelector('.limits').innerText;
  found.golden = await compareAll();
  const fetched = {};
  for (const name of [...plan.pictures, ...plan.frames]) {
    const blob = await (await fetch(`given/${name}`)).blob();
    fetched[name] = new File([blob], name, { type: blob.type });
  }
  await navigator.serviceWorker.ready;
  // From here on nothing may be asked for.
  await post({ loaded: true });
  const frames = plan.frames.map((name) => fetched[name]);
  found.pictures = await examineAll(plan, fetched);
  found.frames = await follow(frames);
  found.given = {};
  for (const way of ['choose', 'drop', 'paste']) {
    found.given[way] = await give(way, fetched[plan.pictures[0]]);
  }
  found.canvas = find('view').getAttribute('aria-label');
  const broken = new File(['no picture'], 'broken.png', { type: 'image/png' });
  found.broken = await give('choose', broken);
  found.csv = await saved();
  found.camera = await watchCamera(plan.camera);
  found.video = await watchVideo(frames);
  find('model').selectedIndex = 1;
  find('model').dispatchEvent(new Event('change'));
  const { classifier } = parts.analyser;
  await until(() => parts.analyser.classifier !== classifier, 'pocket');
  found.pocket = await give('choose', fetched[plan.pictures[0]]);
  found.refused = await withoutCamera('NotAllowedError');
  found.absent = await withoutCamera('NotFoundError');
  await reachOut(plan.stranger);
  found.blocked = blocked;
}

async function offline() {
  await started;
  const controller = Boolean(navigator.serviceWorker.controller);
  const answered = await give('choose', await drawnFile());
  const status = find('status').textContent;
  await post({ status, controller, problem: answered.problem });
  location.search = 'nowasm';
}

async function drawnFile() {
  const canvas = new OffscreenCanvas(300, 300);
  canvas.getContext('2d').fillRect(50, 50, 100, 100);
  return new File([await canvas.convertToBlob()], 'drawn.png');
}

async function nowasm() {
  delete globalThis.WebAssembly;
  await started;
  await post({ problem: find('problem').textContent });
}

async function main() {
  const stage = STAGES[location.search.slice(1)];
  if (stage) return stage();
  const found = { errors: [] };
  const plan = await (await fetch('given/plan.json')).json();
  try {
    await look(plan, found);
  } catch (error) {
    found.errors.push(`${error}\n${error.stack}`);
  }
  await post(found);
  location.search = 'plain';
}

await main();
