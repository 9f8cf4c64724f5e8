import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContainerError, decodeContainer, encodeContainer } from '../../isa/container.ts';
import { verifyProgram } from '../../isa/verify.ts';
import { smallProgram } from '../support/programs.ts';
import { loadTarget } from '../support/targets.ts';

const target = loadTarget('cambricon');
const info = { targetHash: 'ab'.repeat(32), producer: 'plumbline 0.1.0' };
const file = encodeContainer(smallProgram(), info);

/** Start of the three entries of the section table, see the format. */
const ENTRIES = [16, 60, 104];
const HASH_START = 148;
const META_START = 192;

function refusal(bytes: Uint8Array): string {
  try {
    decodeContainer(bytes);
  } catch (error) {
    if (error instanceof ContainerError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

const changed = (change: (bytes: Uint8Array) => void): Uint8Array => {
  const copy = file.slice();
  change(copy);
  return copy;
};

/** Makes all hashes right again. */
function rehash(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer);
  for (const entry of ENTRIES) {
    const offset = view.getUint32(entry + 4, true);
    bytes.set(sha256(bytes.subarray(offset, offset + view.getUint32(entry + 8, true))), entry + 12);
  }
  bytes.set(sha256(bytes.subarray(0, HASH_START)), HASH_START);
  return bytes;
}

/** The file with its metadata replaced, everything else as the encoder would write it. */
function withMetadata(edit: (json: string) => string): Uint8Array {
  const sections = ENTRIES.map((entry) => {
    const view = new DataView(file.buffer);
    const offset = view.getUint32(entry + 4, true);
    return file.slice(offset, offset + view.getUint32(entry + 8, true));
  });
  sections[0] = new TextEncoder().encode(edit(new TextDecoder().decode(sections[0])));
  let end = HASH_START + 32;
  const offsets = sections.map((section) => {
    const offset = Math.ceil(end / 64) * 64;
    end = offset + section.length;
    return offset;
  });
  const bytes = new Uint8Array(end);
  bytes.set(file.subarray(0, HASH_START));
  const view = new DataView(bytes.buffer);
  view.setUint32(12, end, true);
  for (const [i, section] of sections.entries()) {
    bytes.set(section, offsets[i] ?? 0);
    view.setUint32((ENTRIES[i] ?? 0) + 4, offsets[i] ?? 0, true);
    view.setUint32((ENTRIES[i] ?? 0) + 8, section.length, true);
  }
  return rehash(bytes);
}

describe('the .cam file', () => {
  it('keeps the program, its target and its producer', () => {
    expect(decodeContainer(file)).toEqual({
      program: smallProgram(),
      ...info,
      hash: bytesToHex(file.subarray(HASH_START, HASH_START + 32)),
    });
    const empty = smallProgram({ code: new Uint32Array(), constants: new Uint8Array(), debug: [], inputs: [], outputs: [] });
    expect(decodeContainer(encodeContainer(empty, info)).program).toEqual(empty);
  });

  it('has one spelling', () => {
    const { program, targetHash, producer } = decodeContainer(file);
    const { memory, debug, ...rest } = program;
    expect(encodeContainer({ debug, memory, ...rest }, { producer, targetHash })).toEqual(file);
    expect(bytesToHex(sha256(file))).toBe('761a8c793bdb5d33ad8ea0d4ac95cabd30a501062b94f6527e866ba5bafb4e45');
  });

  it('is decoded from the middle of a larger buffer, and shares no memory with it', () => {
    const buffer = Buffer.alloc(file.length + 13);
    buffer.set(file, 5);
    const { program } = decodeContainer(buffer.subarray(5, 5 + file.length));
    buffer.fill(0xff);
    expect(program).toEqual(smallProgram());
  });

  it('writes instructions as little-endian 64-bit numbers', () => {
    const code = encodeContainer(smallProgram({ code: Uint32Array.of(0x20010203, 0x04050607), debug: [] }), info);
    const offset = new DataView(code.buffer).getUint32((ENTRIES[1] ?? 0) + 4, true);
    expect([...code.subarray(offset, offset + 8)]).toEqual([7, 6, 5, 4, 3, 2, 1, 0x20]);
  });

  it('refuses programs that no file can hold', () => {
    expect(() => encodeContainer(smallProgram({ code: Uint32Array.of(1) }), info)).toThrow('odd number of words');
    expect(() => encodeContainer(smallProgram({ target: '' }), info)).toThrow('metadata, target');
    expect(() => encodeContainer(smallProgram(), { ...info, targetHash: 'x' })).toThrow('metadata, targetHash');
    expect(() => encodeContainer(smallProgram({ code: new Uint32Array(2 ** 21 + 2) }), info)).toThrow(
      'section CODE has 8388616 bytes, more than 8388608',
    );
  });
});

describe('damage', () => {
  it.each([
    ['an empty file', new Uint8Array(), 'container/not-cam: this is no .cam file'],
    ['another file', new TextEncoder().encode('{"format":"json"}'), 'container/not-cam: this is no .cam file'],
    [
      'a file of a later version',
      changed((bytes) => (bytes[8] = 3)),
      'container/version: the file has format version 3, this reads version 2',
    ],
    ['converted line ends', changed((bytes) => bytes.copyWithin(4, 5)), 'container/not-cam: this is no .cam file'],
    ['a truncated header', file.slice(0, 100), 'container/truncated: the file ends after 100 bytes, inside its header'],
    ['a truncated section', file.slice(0, -1), `container/truncated: the file ends after ${file.length - 1} of ${file.length} bytes`],
    ['trailing bytes', Uint8Array.of(...file, 0), 'container/trailing: the file has 1 bytes too many'],
    ['a flipped header', changed((bytes) => (bytes[20] = 77)), 'container/hash: the header does not match its hash'],
    ['flipped metadata', changed((bytes) => (bytes[META_START] = 77)), 'container/hash: section META does not match its hash'],
    ['flipped constants', changed((bytes) => (bytes[bytes.length - 1] = 77)), 'container/hash: section DATA does not match its hash'],
    [
      'stray bytes between sections',
      changed((bytes) => (bytes[META_START - 1] = 77)),
      'container/layout: there are stray bytes before section META',
    ],
  ])('is noticed: %s', (_, bytes, message) => {
    expect(refusal(bytes)).toBe(message);
  });

  it('of any byte is noticed', () => {
    for (let i = 0; i < file.length; i++) {
      for (const mask of [1, 0x80, 0xff]) {
        const found = refusal(changed((bytes) => (bytes[i] = (bytes[i] ?? 0) ^ mask)));
        expect([i, mask, found.startsWith('container/')]).toEqual([i, mask, true]);
      }
    }
  });

  it('by truncation or extension is noticed', () => {
    for (let length = 0; length < file.length; length++) expect(refusal(file.slice(0, length))).toMatch(/^container\/(truncated|not-cam)/);
    for (let extra = 1; extra < 200; extra += 13)
      expect(refusal(Uint8Array.of(...file, ...new Uint8Array(extra)))).toMatch(/^container\/trailing/);
  });
});

describe('forgery with right hashes', () => {
  it.each([
    [
      'another order of keys',
      (json: string) => json.replace(/^\{(.*),("maxInstructions":1000),/, '{$2,$1,'),
      'section META is not in canonical form',
    ],
    ['white space', (json: string) => `${json} `, 'section META is not in canonical form'],
    ['another spelling of a number', (json: string) => json.replace('1000', '1e3'), 'section META is not in canonical form'],
    ['no JSON', (json: string) => json.slice(1), 'section META is no JSON in UTF-8'],
    ['deep nesting', () => '['.repeat(1e6), 'section META is no JSON in UTF-8'],
    ['an array', () => '[]', 'metadata, the file: Invalid input: expected object, received array'],
    ['a key too many', (json: string) => json.replace('{', '{"a":1,'), 'metadata, the file: Unrecognized key: "a"'],
    ['a prototype', (json: string) => json.replace('{', '{"__proto__":{"debug":[]},'), 'metadata, the file: Unrecognized key: "__proto__"'],
    [
      'a negative size',
      (json: string) => json.replace('"bytes":16', '"bytes":-16'),
      'metadata, inputs[0].bytes: Too small: expected number to be >=0',
    ],
    [
      'a huge size',
      (json: string) => json.replace('"bytes":16', '"bytes":1e300'),
      'metadata, inputs[0].bytes: Too big: expected int to be <=9007199254740991',
    ],
    [
      'an unknown element type',
      (json: string) => json.replace('"element":"f32"', '"element":"i8"'),
      "metadata, inputs[0].element: an element type 'f32' or 'fx16.F' is expected",
    ],
    [
      'too many dimensions',
      (json: string) => json.replace('"shape":[4]', `"shape":[${Array(17).fill(1).join(',')}]`),
      'metadata, outputs[0].shape: Too big: expected array to have <=16 items',
    ],
    [
      'a long name',
      (json: string) => json.replace('"name":"x"', `"name":"${'x'.repeat(1025)}"`),
      'metadata, inputs[0].name: Too big: expected string to have <=1024 characters',
    ],
  ])('is refused: %s', (_, edit, message) => {
    expect(refusal(withMetadata(edit))).toBe(`container/metadata: ${message}`);
  });

  it.each([
    ['a section that is not where it should be', 4, 256, 'container/layout: the sections do not fill the file'],
    ['a section of another size', 8, 5, 'container/layout: the sections do not fill the file'],
    ['a huge section', 8, 2 ** 32 - 1, 'container/too-large: section META has 4294967295 bytes, more than 33554432'],
    ['a section of another name', 0, 0, 'container/layout: section 0 is not META'],
  ])('is refused: %s', (_, offset, value, message) => {
    const bytes = changed((copy) => {
      const view = new DataView(copy.buffer);
      view.setUint32(16 + offset, value, true);
      copy.set(sha256(copy.subarray(0, HASH_START)), HASH_START);
    });
    expect(refusal(bytes)).toBe(message);
  });

  it('gives a refusal, or a program that can be verified', () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: file.length - META_START - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }),
        (edits) => {
          const bytes = rehash(
            changed((copy) => {
              for (const [position, value] of edits) copy[META_START + position] = value;
            }),
          );
          if (refusal(bytes) !== 'accepted') return;
          accepted++;
          const decoded = decodeContainer(bytes);
          expect(Array.isArray(verifyProgram(decoded.program, target))).toBe(true);
          expect(encodeContainer(decoded.program, decoded)).toEqual(bytes);
        },
      ),
      { numRuns: 5000 },
    );
    expect(accepted).toBeGreaterThan(10);
  });
});
