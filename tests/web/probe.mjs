/** Does with the page what a person would, and posts what came of it. */

import {
  find,
  give,
  giveMixed,
  heads,
  post,
  reachOut,
  recordVideo,
  saved,
  stopVideos,
  until,
  watchCamera,
  watchVideo,
  withoutCamera,
} from './acts.mjs';
import { parts, started } from './app.mjs';
import { compare } from './check.mjs';
import { square, whole } from './boxes.mjs';
import { cut } from './images.mjs';
import { prepare } from './pixels.mjs';
import { readPicture } from './pictures.mjs';

const blocked = [];
document.addEventListener('securitypolicyviolation', ({ blockedURI }) =>
  blocked.push(blockedURI),
);
const statuses = [];
new MutationObserver(() => statuses.push(find('status').textContent)).observe(
  find('status'),
  { childList: true },
);
const STAGES = { plain, offline, nowasm, nothing: () => {} };

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
  found.statuses = [...statuses];
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
  found.mixed = await giveMixed(broken, fetched[plan.pictures[0]]);
  found.camera = await watchCamera(plan.camera);
  const video = await recordVideo(frames);
  found.video = await watchVideo(video);
  found.stopped = await stopVideos(video);
  find('model').selectedIndex = 1;
  find('model').dispatchEvent(new Event('change'));
  const { classifier } = parts.analyser;
  await until(() => parts.analyser.classifier !== classifier, 'pocket');
  found.pocket = await give('choose', fetched[plan.pictures[0]]);
  found.refused = await withoutCamera('NotAllowedError');
  found.absent = await withoutCamera('NotFoundError');
  found.heads = heads();
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
