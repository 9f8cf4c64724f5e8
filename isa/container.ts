/**
 * The `.cam` file: a program on disk. Equal programs have equal bytes, and a file that is not exactly what the encoder writes is refused.
 *
 *     0   8  magic 89 43 41 4D 0D 0A 1A 0A (the line ends show damage by text transfers)
 *     8   4  version, 2
 *     12  4  bytes of the whole file
 *     16  …  three sections META, CODE, DATA: tag (4), offset (4), bytes (4), SHA-256 (32)
 *     148 32 SHA-256 of the 148 bytes above, which hold the hashes of the sections: it identifies the program
 *     180 …  the sections in that order, each starting at a multiple of 64, zeros between
 *
 * Numbers are little-endian u32. META is canonical JSON in UTF-8; CODE holds for each instruction bits 31 to 0, then bits 63 to 32;
 * DATA is the constants segment.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { canonicalJson } from './json.ts';
import type { Metadata } from './metadata.ts';
import { parseMetadata } from './metadata.ts';
import type { Program } from './program.ts';
import { MAX_INSTRUCTIONS } from './program.ts';

const MAGIC = Uint8Array.of(0x89, 0x43, 0x41, 0x4d, 0x0d, 0x0a, 0x1a, 0x0a);
export const CONTAINER_VERSION = 2;

const TAGS = ['META', 'CODE', 'DATA'] as const;
type Tag = (typeof TAGS)[number];

/** Largest section accepted, in bytes. */
const LIMITS: Readonly<Record<Tag, number>> = { META: 2 ** 25, CODE: 8 * MAX_INSTRUCTIONS, DATA: 2 ** 31 };

const HASH_BYTES = 32;
const TABLE_START = 16;
const ENTRY_BYTES = 12 + HASH_BYTES;
const HASH_START = TABLE_START + TAGS.length * ENTRY_BYTES;
const HEADER_BYTES = HASH_START + HASH_BYTES;
const SECTION_ALIGNMENT = 64;

const align = (offset: number): number => Math.ceil(offset / SECTION_ALIGNMENT) * SECTION_ALIGNMENT;

/** What is wrong with a `.cam` file. */
export type ContainerErrorCode =
  | 'container/not-cam'
  | 'container/version'
  | 'container/truncated'
  | 'container/trailing'
  | 'container/hash'
  | 'container/layout'
  | 'container/metadata'
  | 'container/too-large';

/** A file that is no valid `.cam` file, or a program that fits none. */
export class ContainerError extends Error {
  override readonly name = 'ContainerError';
  readonly code: ContainerErrorCode;
  readonly hint: string | undefined;

  constructor(code: ContainerErrorCode, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

export interface ContainerInfo {
  /** Hash of the target that the program was compiled for, see `targetHash`. */
  readonly targetHash: string;
  /** Name and version of what wrote the program. */
  readonly producer: string;
}

export interface Container extends ContainerInfo {
  readonly program: Program;
  /** SHA-256 of the header, in hexadecimal: the identity of the program, its target and its producer. */
  readonly hash: string;
}

/** Code words as bytes: low word first, little-endian, so that an instruction is one little-endian 64-bit number. */
function codeBytes(code: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(4 * code.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < code.length; i++) view.setUint32(4 * (i ^ 1), code[i] ?? 0, true);
  return bytes;
}

function codeWords(bytes: Uint8Array): Uint32Array {
  if (bytes.length % 8 !== 0)
    throw new ContainerError('container/layout', `section CODE has ${bytes.length} bytes, no whole number of instructions`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * (i ^ 1), true));
}

/** Offset of each section, in order, and the end of the file. */
function place(sizes: readonly number[]): { readonly offsets: readonly number[]; readonly end: number } {
  let end = HEADER_BYTES;
  const offsets = sizes.map((size) => {
    const offset = align(end);
    end = offset + size;
    return offset;
  });
  return { offsets, end };
}

/** The bytes of a `.cam` file. Throws a `ContainerError` for a program that the format has no room for or that its decoder would refuse. */
export function encodeContainer(program: Program, info: ContainerInfo): Uint8Array {
  const { code, constants, target, memory, inputs, outputs, debug, maxInstructions } = program;
  const { targetHash, producer } = info;
  if (code.length % 2 !== 0) throw new ContainerError('container/layout', 'the code has an odd number of words');
  const metadata = parseMetadata(
    { target, targetHash, producer, memory, inputs, outputs, debug, maxInstructions },
    (message) => new ContainerError('container/metadata', message),
  );
  const sections = [new TextEncoder().encode(canonicalJson(metadata)), codeBytes(code), constants];
  for (const [i, tag] of TAGS.entries()) checkSize(tag, sections[i]?.length ?? 0);
  const { offsets, end } = place(sections.map(({ length }) => length));
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  file.set(MAGIC);
  view.setUint32(8, CONTAINER_VERSION, true);
  view.setUint32(12, end, true);
  for (const [i, section] of sections.entries()) {
    const entry = TABLE_START + i * ENTRY_BYTES;
    const offset = offsets[i] ?? 0;
    file.set(new TextEncoder().encode(TAGS[i]), entry);
    view.setUint32(entry + 4, offset, true);
    view.setUint32(entry + 8, section.length, true);
    file.set(sha256(section), entry + 12);
    file.set(section, offset);
  }
  file.set(sha256(file.subarray(0, HASH_START)), HASH_START);
  return file;
}

function checkSize(tag: Tag, bytes: number): void {
  if (bytes > LIMITS[tag]) throw new ContainerError('container/too-large', `section ${tag} has ${bytes} bytes, more than ${LIMITS[tag]}`);
}

const DAMAGED = 'the file is damaged; compile the model again';

/** Reads a `.cam` file. Throws a `ContainerError` that says what is wrong with it; the program is not verified against a target. */
export function decodeContainer(bytes: Uint8Array): Container {
  checkHeader(bytes);
  const sections = readSections(bytes);
  const metadata = readMetadata(sections.META);
  const { targetHash, producer, ...rest } = metadata;
  const program: Program = { ...rest, code: codeWords(sections.CODE), constants: new Uint8Array(sections.DATA) };
  return { program, targetHash, producer, hash: containerHash(bytes) };
}

/** SHA-256, in hexadecimal, of the header of a `.cam` file that is known to be sound: see `Container`. */
export function containerHash(bytes: Uint8Array): string {
  return bytesToHex(bytes.subarray(HASH_START, HEADER_BYTES));
}

function checkHeader(bytes: Uint8Array): void {
  const magic = bytes.subarray(0, MAGIC.length);
  if (!magic.every((byte, i) => byte === MAGIC[i]) || magic.length === 0)
    throw new ContainerError('container/not-cam', 'this is no .cam file', 'pass a program written by the compiler');
  if (bytes.length < HEADER_BYTES)
    throw new ContainerError('container/truncated', `the file ends after ${bytes.length} bytes, inside its header`, DAMAGED);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(8, true);
  if (version !== CONTAINER_VERSION) {
    const hint = version > CONTAINER_VERSION ? 'use the version of Plumbline that wrote it, or a newer one' : DAMAGED;
    throw new ContainerError('container/version', `the file has format version ${version}, this reads version ${CONTAINER_VERSION}`, hint);
  }
  if (!same(sha256(bytes.subarray(0, HASH_START)), bytes.subarray(HASH_START, HEADER_BYTES)))
    throw new ContainerError('container/hash', 'the header does not match its hash', DAMAGED);
  const size = view.getUint32(12, true);
  if (bytes.length < size) throw new ContainerError('container/truncated', `the file ends after ${bytes.length} of ${size} bytes`, DAMAGED);
  if (bytes.length > size) throw new ContainerError('container/trailing', `the file has ${bytes.length - size} bytes too many`, DAMAGED);
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** The sections, at the one place where the encoder puts them, hashes and padding checked. */
function readSections(bytes: Uint8Array): Record<Tag, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = TAGS.map((tag, i) => {
    const start = TABLE_START + i * ENTRY_BYTES;
    const written = new TextDecoder('latin1').decode(bytes.subarray(start, start + 4));
    if (written !== tag) throw new ContainerError('container/layout', `section ${i} is not ${tag}`);
    const size = view.getUint32(start + 8, true);
    checkSize(tag, size);
    return { tag, offset: view.getUint32(start + 4, true), size, hash: bytes.subarray(start + 12, start + ENTRY_BYTES) };
  });
  const { offsets, end } = place(entries.map(({ size }) => size));
  if (end !== bytes.length || entries.some(({ offset }, i) => offset !== offsets[i]))
    throw new ContainerError('container/layout', 'the sections do not fill the file');
  let covered = HEADER_BYTES;
  const sections = entries.map(({ tag, offset, size, hash }) => {
    if (bytes.subarray(covered, offset).some((byte) => byte !== 0))
      throw new ContainerError('container/layout', `there are stray bytes before section ${tag}`, DAMAGED);
    covered = offset + size;
    const section = bytes.subarray(offset, covered);
    if (!same(sha256(section), hash)) throw new ContainerError('container/hash', `section ${tag} does not match its hash`, DAMAGED);
    return [tag, section] as const;
  });
  return Object.fromEntries(sections) as Record<Tag, Uint8Array>;
}

function readMetadata(bytes: Uint8Array): Metadata {
  const refuse = (message: string): ContainerError => new ContainerError('container/metadata', message);
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    json = JSON.parse(text);
  } catch {
    throw refuse('section META is no JSON in UTF-8');
  }
  const metadata = parseMetadata(json, refuse);
  if (canonicalJson(metadata) !== text) throw refuse('section META is not in canonical form');
  return metadata;
}
