import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** SHA-256 of some bytes, 64 hexadecimal digits: the name of a constant's contents. */
export function contentHash(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}
