/** What tells that two results are of the same data. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Preprocess } from '../data/preprocess.ts';

/** SHA-256 of the preprocessing, and of each sample's stored bytes and class. */
export class DataHash {
  readonly #hash = sha256.create();

  constructor(preprocess: Preprocess | undefined) {
    this.#hash.update(new TextEncoder().encode(JSON.stringify(preprocess ?? null)));
  }

  add(stored: Uint8Array, label: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, label, true);
    this.#hash.update(stored).update(bytes);
  }

  /** In hexadecimal. */
  digest(): string {
    return bytesToHex(this.#hash.digest());
  }
}
