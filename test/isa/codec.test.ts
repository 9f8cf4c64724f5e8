import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode, EncodeError, encodeProgram, isIllegal } from '../../isa/codec.ts';
import { formOf, makeInstruction } from '../../isa/instruction.ts';
import { bitMap } from '../../isa/laws.ts';
import type { Form } from '../../isa/fields.ts';
import type { AnyInstruction, Mnemonic } from '../../isa/table.ts';
import { MNEMONICS, recordOf } from '../../isa/table.ts';
import { ALL_FORMS, arbitraryInstruction, typeCodes } from '../support/instructions.ts';

/** The first element type that an instruction takes, where it has a type field. */
function firstTypes(mnemonic: Mnemonic, form: Form): Record<string, number> {
  const [type = 0] = typeCodes(mnemonic);
  return Object.fromEntries(Object.entries(form.fields).flatMap(([name, { kind }]) => (kind === 'type' ? [[name, type]] : [])));
}

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const opcodes = MNEMONICS.map((mnemonic) => recordOf(mnemonic).opcode);

/** Words that are likely to be legal, or nearly: a known opcode, and either random or few bits. */
const structured = fc
  .tuple(fc.constantFrom(...opcodes), fc.boolean(), u32, fc.oneof(u32, fc.constant(0)), fc.oneof(u32, fc.constant(0xffffffff)))
  .map(([opcode, immediate, hi, lo, mask]): [number, number] => [
    (((opcode | (immediate ? 0x80 : 0)) << 24) | (hi & 0xffffff)) >>> 0,
    (lo & mask) >>> 0,
  ]);

/** A legal word with one bit flipped. */
const flipped = fc.tuple(arbitraryInstruction(), fc.nat({ max: 63 })).map(([instruction, bit]): [number, number] => {
  const [hi, lo] = encode(instruction);
  return bit < 32 ? [hi, (lo ^ (1 << bit)) >>> 0] : [(hi ^ (1 << (bit - 32))) >>> 0, lo];
});

describe('decode', () => {
  it.each([
    ['random words', fc.tuple(u32, u32)],
    ['known opcodes', structured],
    ['single flipped bits', flipped],
  ])('gives back an instruction of the same bits, or none: %s', (_, words) => {
    fc.assert(
      fc.property(words, ([hi, lo]) => {
        const decoded = decode(hi, lo);
        if (isIllegal(decoded)) expect(decoded.reason).not.toBe('');
        else expect(encode(decoded)).toEqual([hi, lo]);
      }),
      { numRuns: 20_000 },
    );
  });

  it('finds legal instructions among structured words', () => {
    const found = fc.sample(structured, { numRuns: 5000, seed: 7 }).filter(([hi, lo]) => !isIllegal(decode(hi, lo)));
    expect(found.length).toBeGreaterThan(100);
  });

  it.each([
    ['an unknown opcode', [0x7f000000, 0], 'unknown opcode 0x7f'],
    ['opcode zero', [0, 0], 'unknown opcode 0x00'],
    ['a missing form', [0xa0000000, 0], 'VAV has no immediate form'],
    ['reserved bits of an extension', [0x50000000, 1], 'VLOAD2 has reserved bits set: 0x00000000 0x00000001'],
    ['reserved bits', [0x40000000, 1], 'SADD has reserved bits set: 0x00000000 0x00000001'],
    ['a reserved type', [0x20000000, 0x60000000], "VAV: reserved element type code 6 in field 'type'"],
    ['a type that is only moved', [0x20000000, 0x90000000], 'VAV: VAV does not take elements of type i32'],
    ['a stride without rep', [0x20000000, 0x00000008], "VAV: field 'bstride' is not zero although it does not apply"],
    ['a bound without clip', [0x58000001, 0], "VCVT: field 'low' is not zero although it does not apply"],
    ['the fourth activation', [0x58000000, 0x00030000], "VCVT: reserved value 3 of field 'activation'"],
    ['a conversion', [0x58000000, 0x00400000], 'VCVT: conversion of f32 to fx16 is reserved'],
    ['16-bit accumulators', [0x18000000, 0x00200000], "MMV: 'acc' with fx16 elements: the 16-bit datapath rounds at write-back"],
  ] as const)('refuses %s', (_, [hi, lo], reason) => {
    expect(decode(hi, lo)).toEqual({ reason });
  });
});

describe('encode', () => {
  it('is undone by decode', () => {
    fc.assert(
      fc.property(arbitraryInstruction(), (instruction) => {
        expect(decode(...encode(instruction))).toEqual(instruction);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each(ALL_FORMS)('puts every bit of %s, %s form, where the table says', (mnemonic, formName) => {
    const form = formOf(mnemonic, formName);
    for (const [name, field] of Object.entries(form.fields)) {
      if (
        field.kind === 'type' ||
        field.kind === 'enum' ||
        field.kind === 'flag' ||
        (field.kind === 'register' && field.when !== undefined)
      )
        continue;
      const operands = Object.fromEntries(form.assembly.map((operand) => [operand, 0]));
      const fields = { ...operands, ...firstTypes(mnemonic, form) };
      const zero = encode({ mnemonic, form: formName, fields });
      for (let bit = 0; bit <= field.bits[0] - field.bits[1]; bit++) {
        const [hi, lo] = encode({ mnemonic, form: formName, fields: { ...fields, [name]: 2 ** bit } });
        const position = field.bits[1] + bit;
        expect([(hi ^ zero[0]) >>> 0, (lo ^ zero[1]) >>> 0]).toEqual(position < 32 ? [0, 2 ** position] : [2 ** (position - 32), 0]);
      }
    }
  });

  it('takes immediates signed or unsigned', () => {
    const make = (b: number): AnyInstruction => ({ mnemonic: 'SADD', form: 'immediate', fields: { result: 1, a: 2, b } });
    expect(encode(make(0xffffffff))).toEqual(encode(make(-1)));
    expect(decode(...encode(make(0xffffffff)))).toEqual(make(-1));
    expect(() => encode(make(2 ** 32))).toThrow(EncodeError);
    expect(() => encode(make(-(2 ** 31) - 1))).toThrow(EncodeError);
    expect(() => encode(make(0.5))).toThrow(EncodeError);
    expect(() => encode(make(NaN))).toThrow(EncodeError);
  });

  it.each([
    ['a register above 63', { out: 64, size: 1, a: 2, b: 3 }, "field 'out' is 64"],
    ['a missing operand', { out: 1, size: 1, a: 2 }, "field 'b' is missing"],
    ['a missing count', { out: 1, size: 1, a: 2, b: 3, rep: 1, ostride: 0, astride: 0, bstride: 0 }, "field 'count' is missing"],
    ['an unknown field', { out: 1, size: 1, a: 2, b: 3, z: 1 }, "there is no field 'z'"],
    ['an operand that does not apply', { out: 1, size: 1, a: 2, b: 3, count: 4 }, "field 'count' is not zero"],
  ])('refuses %s', (_, fields, message) => {
    expect(() => encode({ mnemonic: 'VAV', form: 'register', fields })).toThrow(message);
  });

  it('names the instruction that does not encode', () => {
    const good = makeInstruction('SADD', { result: 1, a: 2, b: 3 });
    expect(() => encodeProgram([good, { ...good, fields: { ...good.fields, a: -1 } }])).toThrow('instruction 1: SADD');
  });
});

describe('bit maps', () => {
  it.each(ALL_FORMS)('decoder and map of %s, %s form, agree on reserved bits', (mnemonic, formName) => {
    const form = formOf(mnemonic, formName);
    const operands = Object.fromEntries(form.assembly.map((name) => [name, 0]));
    const zero = encode({ mnemonic, form: formName, fields: { ...operands, ...firstTypes(mnemonic, form) } });
    for (const [bit, owner] of bitMap(form).entries()) {
      const decoded = bit < 32 ? decode(zero[0], (zero[1] | (1 << bit)) >>> 0) : decode((zero[0] | (1 << (bit - 32))) >>> 0, zero[1]);
      const reserved = isIllegal(decoded) && decoded.reason.includes('reserved bits');
      expect([bit, reserved]).toEqual([bit, owner === undefined]);
    }
  });
});
