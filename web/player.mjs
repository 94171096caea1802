/** A video file or the camera -> frames, one after the other. */

import { PictureError } from './pictures.mjs';

const CAMERA = {
  video: { width: 640, height: 480, facingMode: 'user' },
  audio: false,
};
const UNREADABLE =
  'The browser cannot play this video. Save it as MP4 or WebM.';
const NO_CAMERA_HERE =
  'The browser gives a camera to pages on https or localhost alone.';
const CAMERA_PROBLEMS = {
  NotAllowedError:
    'The camera was refused. Allow it beside the address, and press Camera ' +
    'again.',
  NotFoundError: 'There is no camera. Plug one in, or choose a file.',
  NotReadableError:
    'The camera gives no picture. Another program may be using it.',
};

/** The page's `<video>`, of which frames are taken. */
export class Player {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    this.turn = 0;
  }

  /**
   * Plays a file to its end.
   * @param {Blob} file
   * @param {(seconds: number, frame: number) => Promise<void>} onFrame
   * @throws {PictureError} the browser cannot play it.
   */
  async playFile(file, onFrame) {
    this.stop();
    const address = URL.createObjectURL(file);
    try {
      this.video.src = address;
      await this.play(UNREADABLE);
      await this.follow((metadata) => metadata.mediaTime, onFrame);
    } finally {
      URL.revokeObjectURL(address);
    }
  }

  /**
   * Plays the camera until it is stopped.
   * @param {(seconds: number, frame: number) => Promise<void>} onFrame
   * @throws {PictureError} there is no camera, or it was refused.
   */
  async playCamera(onFrame) {
    this.stop();
    const turn = this.turn;
    const stream = await openCamera();
    if (turn !== this.turn) {
      close(stream);
      return;
    }
    // It may be pulled out.
    stream.getTracks().forEach((track) => {
      track.onended = () => this.stop();
    });
    this.video.srcObject = stream;
    await this.play(CAMERA_PROBLEMS.NotReadableError);
    const begin = performance.now();
    const seconds = () => (performance.now() - begin) / 1000;
    await this.follow(seconds, onFrame);
  }

  /** Stops what is playing, and lets go of the camera. */
  stop() {
    this.turn += 1;
    this.video.pause();
    close(this.video.srcObject);
    this.video.srcObject = null;
    this.video.removeAttribute('src');
    this.wake?.();
  }

  /** @param {string} problem to tell where it does not play. */
  async play(problem) {
    try {
      await this.video.play();
    } catch (error) {
      // "AbortError": it was stopped before it began.
      if (error.name === 'AbortError') return;
      throw new PictureError(problem, { cause: error });
    }
  }

  /**
   * Takes one frame after the other; those that come while one is answered
   * are left out.
   * @param {(metadata: object) => number} timeOf
   * @param {(seconds: number, frame: number) => Promise<void>} onFrame
   */
  async follow(timeOf, onFrame) {
    const { turn } = this;
    const isOver = () => turn !== this.turn || this.video.ended;
    for (let frame = 0; !isOver(); frame++) {
      const metadata = await this.nextFrame();
      if (turn !== this.turn || !metadata) return;
      await onFrame(timeOf(metadata), frame);
    }
  }

  /** @returns {Promise<object|null>} null when no other frame will come. */
  nextFrame() {
    const { video } = this;
    return new Promise((resolve) => {
      const handle = video.requestVideoFrameCallback((_, metadata) =>
        settle(metadata),
      );
      const end = () => settle(null);
      const settle = (metadata) => {
        video.cancelVideoFrameCallback(handle);
        video.removeEventListener('ended', end);
        resolve(metadata);
      };
      this.wake = end;
      video.addEventListener('ended', end);
    });
  }
}

/** @param {MediaStream|null} stream */
function close(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}

/** @returns {Promise<MediaStream>} */
async function openCamera() {
  if (!navigator.mediaDevices) throw new PictureError(NO_CAMERA_HERE);
  try {
    return await navigator.mediaDevices.getUserMedia(CAMERA);
  } catch (error) {
    const problem =
      CAMERA_PROBLEMS[error.name] ?? CAMERA_PROBLEMS.NotFoundError;
    throw new PictureError(problem, { cause: error });
  }
}
