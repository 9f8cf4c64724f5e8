/**
 * The side file of a graph's text (`x.pir.data`): the bytes of the constants that the text names by their hash.
 *
 * Little-endian: 8 bytes magic, u32 version, u32 count; for each constant 32 bytes SHA-256 and u64 length, in ascending order of the hashes;
 * then the constants' bytes in that order, and nothing behind them.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { contentHash } from './content-hash.ts';
import { fail } from './diagnostic.ts';

const MAGIC = new TextEncoder().encode('PLUMBPIR');
const VERSION = 1;
const HEADER_BYTES = 16;
const HASH_BYTES = 32;
const ENTRY_BYTES = HASH_BYTES + 8;

/** The side file for constants by the hash of their bytes. The same constants give the same file, in whatever order they come. */
export function encodeConstants(constants: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const entries = [...constants].sort(([a], [b]) => (a < b ? -1 : 1));
  let at = HEADER_BYTES + entries.length * ENTRY_BYTES;
  const file = new Uint8Array(entries.reduce((total, [, bytes]) => total + bytes.length, at));
  const view = new DataView(file.buffer);
  file.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, entries.length, true);
  for (const [i, [hash, bytes]] of entries.entries()) {
    const entry = HEADER_BYTES + i * ENTRY_BYTES;
    file.set(hexToBytes(hash), entry);
    view.setBigUint64(entry + HASH_BYTES, BigInt(bytes.length), true);
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/**
 * Constants by the hash of their bytes, as views of the file. Every bound and every hash is checked; `name` is the file's in messages.
 * Throws a diagnostic for a file that is damaged or none of ours.
 */
export function decodeConstants(file: Uint8Array, name: string): Map<string, Uint8Array> {
  const refuse = (code: string, message: string): never => fail('invalid', `constants/${code}`, message, { place: [name] });
  if (file.length < HEADER_BYTES || MAGIC.some((byte, i) => file[i] !== byte)) refuse('magic', 'this is no file of constants');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const version = view.getUint32(8, true);
  if (version !== VERSION) refuse('version', `version ${version} of the format is not known, only version ${VERSION}`);
  const count = view.getUint32(12, true);
  let at = HEADER_BYTES + count * ENTRY_BYTES;
  if (at > file.length) refuse('truncated', `the file ends inside its list of ${count} constants`);
  const constants = new Map<string, Uint8Array>();
  let previous = '';
  for (let i = 0; i < count; i++) {
    const entry = HEADER_BYTES + i * ENTRY_BYTES;
    const hash = bytesToHex(file.subarray(entry, entry + HASH_BYTES));
    if (hash <= previous) refuse('order', `constant ${i} is not in ascending order of the hashes`);
    const length = Number(view.getBigUint64(entry + HASH_BYTES, true));
    if (length > file.length - at) refuse('truncated', `the file ends inside constant ${i} of ${count}`);
    const bytes = file.subarray(at, at + length);
    if (contentHash(bytes) !== hash) refuse('hash', `constant ${i} does not have the bytes that its hash ${hash} says`);
    constants.set(hash, bytes);
    previous = hash;
    at += length;
  }
  if (at !== file.length) refuse('trailing', `${file.length - at} bytes stand behind the last constant`);
  return constants;
}
