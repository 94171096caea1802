/** One model in LiteRT.js: arrays in, arrays out, and nothing left behind. */

import {
  Tensor,
  loadAndCompile,
  loadLiteRt,
  supportsFeature,
} from '@litertjs/core';

// LiteRT twice, each in one thread: two gained nothing. The plain build runs
// in every browser. The fast one needs relaxed SIMD and takes less than half
// of the time; on integers both give the same bits.
const FAST = 'vendor/litert_wasm_internal.';
const PLAIN = 'vendor/litert_wasm_compat_internal.';

/** Loads LiteRT itself, once a page: it takes its fast build where it can. */
export async function loadRuntime() {
  await loadLiteRt(new URL('./vendor/', import.meta.url).href);
}

/**
 * Leaves out the build that this browser does not take.
 * @param {Object<string, number>} files of the page, with their sizes.
 * @returns {Promise<Object<string, number>>}
 */
export async function filesNeeded(files) {
  const other = (await supportsFeature('relaxedSimd')) ? PLAIN : FAST;
  const needed = ([name]) => !name.startsWith(other);
  return Object.fromEntries(Object.entries(files).filter(needed));
}

/** A compiled model. */
export class Network {
  /**
   * Use `Network.load`.
   * @param {object} model of LiteRT.js.
   */
  constructor(model) {
    this.model = model;
    const [input] = model.getInputDetails();
    this.shape = Array.from(input.shape);
    this.takesBytes = input.dtype === 'uint8';
  }

  /**
   * Loads a model.
   * @param {Uint8Array} content of the `.tflite` file.
   * @returns {Promise<Network>}
   */
  static async load(content) {
    const options = { accelerator: 'wasm' };
    return new Network(await loadAndCompile(content, options));
  }

  /**
   * Runs it once.
   * @param {Uint8Array|Float32Array} values of the input's shape and type.
   * @returns {Promise<(Uint8Array|Float32Array)[]>} copies of the outputs.
   */
  async run(values) {
    const input = new Tensor(values, this.shape);
    const outputs = await this.model.run([input]);
    const copies = [];
    for (const output of outputs) {
      copies.push((await output.data()).slice());
      output.delete();
    }
    input.delete();
    return copies;
  }

  /** Gives its memory back. */
  delete() {
    this.model.delete();
  }
}
