/** One model in LiteRT.js: arrays in, arrays out, and nothing left behind. */

import { Tensor, loadAndCompile, loadLiteRt } from '@litertjs/core';

// The build that every browser runs, in one thread: two gained nothing.
const RUNTIME = new URL(
  './vendor/litert_wasm_compat_internal.js',
  import.meta.url,
);

/** Loads LiteRT itself, once a page. */
export async function loadRuntime() {
  await loadLiteRt(RUNTIME.href);
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
