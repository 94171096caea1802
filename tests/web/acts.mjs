/** What a person does with the page, step by step. */

const PATIENCE_MS = 60_000;

export const find = (id) => document.getElementById(id);

export async function post(found) {
  await fetch('result', { method: 'POST', body: JSON.stringify(found) });
}

export async function until(isTrue, what) {
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

function transfer(files) {
  const given = new DataTransfer();
  for (const file of files) given.items.add(file);
  return given;
}

/** Gives files to the page in one of three ways. */
export async function give(way, ...files) {
  const status = find('status');
  const given = transfer(files);
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

/** A broken file before another. */
export async function giveMixed(broken, picture) {
  find('faces').replaceChildren();
  await give('choose', broken, picture);
  await until(() => cards().length && !find('problem').hidden, 'both');
  return { cards: cards(), problem: find('problem').textContent };
}

export async function watchCamera(frames) {
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

/** Records a drawn video in the page, as a file. */
export async function recordVideo(files) {
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
  return new File(chunks, 'clip.webm', { type: 'video/webm' });
}

export async function watchVideo(file) {
  find('forget').click();
  const { cards: first } = await give('choose', file);
  await until(() => find('stop').hidden, 'the end of the video');
  return { first, rows: find('rows').innerText };
}

/** Stops the first of two videos. */
export async function stopVideos(file) {
  find('forget').click();
  await give('choose', file, file);
  find('stop').click();
  await until(() => find('stop').hidden, 'stop');
  // Time for the other one to begin.
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { heads: heads(), isOver: find('stop').hidden };
}

export function heads() {
  const found = document.querySelectorAll('#rows th');
  return [...found].map((head) => head.textContent);
}

/** Presses a camera that is refused, or is not there. */
export async function withoutCamera(name) {
  navigator.mediaDevices.getUserMedia = () =>
    Promise.reject(new DOMException('', name));
  find('camera').click();
  await until(() => !find('problem').hidden, name);
  return find('problem').textContent;
}

/** Clicks on Save and reads the file that comes. */
export async function saved() {
  let blob;
  const { createObjectURL } = URL;
  URL.createObjectURL = (given) => createObjectURL.call(URL, (blob = given));
  HTMLAnchorElement.prototype.click = () => {};
  find('save').click();
  URL.createObjectURL = createObjectURL;
  return blob.text();
}

/** Tries to reach another server in every way that there is. */
export async function reachOut(stranger) {
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
