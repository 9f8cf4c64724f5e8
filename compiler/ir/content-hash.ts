import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Tensor } from './tensor.ts';
import { dataBytes } from './tensor.ts';

/** SHA-256 of some bytes, 64 hexadecimal digits: the name of a constant's contents. */
export function contentHash(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

/** Tensors are immutable, so that each is hashed once, whatever asks for it. */
const hashes = new WeakMap<Tensor, string>();
const fingerprints = new WeakMap<Tensor, string>();

/** The content hash of a tensor's elements. */
export function tensorHash(value: Tensor): string {
  const known = hashes.get(value) ?? contentHash(dataBytes(value));
  hashes.set(value, known);
  return known;
}

/** Equal for tensors of equal bytes, and for others hardly ever, unless somebody means them to be: 100 times as fast as the hash. */
export function tensorFingerprint(value: Tensor): string {
  const known = fingerprints.get(value) ?? fingerprint(dataBytes(value));
  fingerprints.set(value, known);
  return known;
}

/** FNV-1a on words, in two lanes, and on the bytes behind the last word. */
function fingerprint(bytes: Uint8Array): string {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
  let [even, odd] = [0x811c9dc5 | 0, 0x01000193];
  const pairs = words.length & ~1;
  for (let i = 0; i < pairs; i += 2) {
    even = Math.imul(even ^ (words[i] as number), 0x01000193);
    odd = Math.imul(odd ^ (words[i + 1] as number), 0x01000193);
    // A multiplication moves nothing to lower bits.
    odd ^= even >>> 15;
    even ^= odd >>> 13;
  }
  for (let i = 4 * pairs; i < aligned.length; i++) even = Math.imul(even ^ (aligned[i] as number), 0x01000193);
  return `${bytes.length}:${even >>> 0}:${odd >>> 0}`;
}
