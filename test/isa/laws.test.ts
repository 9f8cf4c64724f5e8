import { describe, expect, it } from 'vitest';
import type { InstructionRecord } from '../../isa/fields.ts';
import { encode } from '../../isa/codec.ts';
import { formOf } from '../../isa/instruction.ts';
import type { InstructionTable } from '../../isa/laws.ts';
import { bitMap, checkTable } from '../../isa/laws.ts';
import type { FormName, Mnemonic } from '../../isa/table.ts';
import { INSTRUCTIONS, MNEMONICS, recordOf } from '../../isa/table.ts';

describe('the table', () => {
  it('keeps its laws', () => {
    expect(checkTable()).toEqual([]);
  });

  it('has the 43 instructions of the base, in the published classes', () => {
    const base = MNEMONICS.filter((mnemonic) => recordOf(mnemonic).extension === 'base');
    expect(base).toHaveLength(43);
    const count = (name: string): number => base.filter((mnemonic) => recordOf(mnemonic).class === name).length;
    expect({
      control: count('control'),
      transfer: count('transfer'),
      matrix: count('matrix'),
      vector: count('vector'),
      scalar: count('scalar'),
    }).toEqual({
      control: 2,
      transfer: 9,
      matrix: 6,
      vector: 17,
      scalar: 9,
    });
  });
});

/**
 * The figures of section 4 of the paper, bit for bit: the opcode byte, then registers of 6 bits and immediates of 32 from the most
 * significant bit down. Our modifiers lie in what remains.
 */
const PUBLISHED = [
  ['register', 'target:6', ['JUMP']],
  ['immediate', 'target:32', ['JUMP']],
  ['register', 'condition:6 target:6', ['CB']],
  ['immediate', 'condition:6 target:32', ['CB']],
  ['register', 'local:6 size:6 base:6 offset:32', ['VLOAD', 'VSTORE', 'MLOAD', 'MSTORE']],
  ['register', 'out:6 out_size:6 matrix:6 in:6 in_size:6', ['MMV', 'VMM']],
  ['register', 'out:6 size:6 a:6 b:6', ['VAV', 'VSV', 'VMV', 'VDV', 'VGT', 'VE', 'VAND', 'VOR', 'VGTM']],
] as const satisfies readonly (readonly [FormName, string, readonly Mnemonic[]])[];

const publishedForms = PUBLISHED.flatMap(([formName, figure, mnemonics]) =>
  mnemonics.map((mnemonic) => [mnemonic, formName, figure] as const),
);

describe('published layouts', () => {
  it.each(publishedForms)('%s, %s form: %s', (mnemonic, formName, figure) => {
    expect(recordOf(mnemonic).layout).toBe('published');
    const form = formOf(mnemonic, formName);
    const operands = new Set<string>();
    let msb = 55;
    for (const item of figure.split(' ')) {
      const [name = '', width] = item.split(':');
      expect([name, form.fields[name]?.bits]).toEqual([name, [msb, msb - Number(width) + 1]]);
      msb -= Number(width);
      operands.add(name);
    }
    // What the paper leaves unused holds only modifiers that are zero in published words.
    for (const [name, field] of Object.entries(form.fields)) {
      const modifier = field.kind === 'type' || field.kind === 'flag' || (field.kind === 'register' && field.when !== undefined);
      expect([name, operands.has(name) || modifier]).toEqual([name, true]);
    }
  });

  it('are all that the table calls published', () => {
    const marked = MNEMONICS.filter((mnemonic) => recordOf(mnemonic).layout === 'published');
    expect(new Set(publishedForms.map(([mnemonic]) => mnemonic))).toEqual(new Set(marked));
  });

  it('hold for words written out by hand', () => {
    // opcode 0x08 | $3 | $0 | $0 | #100 | 000000
    expect(encode({ mnemonic: 'VLOAD', form: 'register', fields: { local: 3, size: 0, base: 0, offset: 100 } })).toEqual([
      0b00001000_000011_000000_000000_000000, 0b00000000000000000001100100_000000,
    ]);
    // opcode 0x08 | $1 | $2 | $3 | #-1 | 000000
    expect(encode({ mnemonic: 'VLOAD', form: 'register', fields: { local: 1, size: 2, base: 3, offset: -1 } })).toEqual([
      0b00001000_000001_000010_000011_111111,
      0b11111111111111111111111111_000000 >>> 0,
    ]);
    // opcode 0x18 | $7 | $1 | $4 | $3 | $0 | 26 zeros
    expect(encode({ mnemonic: 'MMV', form: 'register', fields: { out: 7, out_size: 1, matrix: 4, in: 3, in_size: 0 } })).toEqual([
      0b00011000_000111_000001_000100_000011, 0,
    ]);
    // opcode 0x35 | $7 | $0 | $6 | $7 | 32 zeros
    expect(encode({ mnemonic: 'VGTM', form: 'register', fields: { out: 7, size: 0, a: 6, b: 7 } })).toEqual([
      0b00110101_000111_000000_000110_000111, 0,
    ]);
    // opcode 0x82 | $4 | #-3 | 18 zeros
    expect(encode({ mnemonic: 'CB', form: 'immediate', fields: { condition: 4, target: -3 } })).toEqual([
      0b10000010_000100_111111111111111111 >>> 0,
      0b11111111111101_000000000000000000 >>> 0,
    ]);
    // opcode 0x81 | #-2 | 24 zeros
    expect(encode({ mnemonic: 'JUMP', form: 'immediate', fields: { target: -2 } })).toEqual([
      0b10000001_111111111111111111111111 >>> 0,
      0xfe000000,
    ]);
  });
});

describe('laws', () => {
  const { VAV, VAS, VMM } = INSTRUCTIONS as InstructionTable;
  const broken = (record: InstructionRecord | undefined, change: (record: InstructionRecord) => Partial<InstructionRecord>): string[] => {
    if (record === undefined) throw new Error('no such instruction');
    return checkTable({ X: { ...record, ...change(record) } });
  };
  const withField = (name: string, field: object) => (record: InstructionRecord) => ({
    forms: {
      register: { fields: { ...record.forms.register?.fields, [name]: field }, assembly: record.forms.register?.assembly ?? [] },
    } as InstructionRecord['forms'],
  });

  it.each([
    ['an opcode of 8 bits', broken(VAV, () => ({ opcode: 128 })), 'X: opcode 128 is not 1 to 127'],
    ['opcode zero', broken(VAV, () => ({ opcode: 0 })), 'X: opcode 0 is not 1 to 127'],
    ['a bit used twice', broken(VAV, withField('type', { kind: 'type', bits: [32, 29] })), "X: bit 32 is used by 'b' and 'type'"],
    [
      'a field in the opcode',
      broken(VAV, withField('out', { kind: 'register', bits: [56, 51], role: 'address' })),
      "X: bit 56 is used by 'opcode' and 'out'",
    ],
    [
      'a short register',
      broken(VAV, withField('out', { kind: 'register', bits: [55, 51], role: 'address' })),
      "X: field 'out' is 5 bits wide, not 6",
    ],
    [
      'bits the wrong way round',
      broken(VAV, withField('type', { kind: 'type', bits: [28, 31] })),
      "X: field 'type' has no valid bit range",
    ],
    [
      'an operand that is not written',
      broken(VAV, withField('z', { kind: 'register', bits: [5, 0], role: 'scalar' })),
      "X: field 'z' stands 0 times among the operands",
    ],
    [
      'a condition on nothing',
      broken(VAV, withField('count', { kind: 'register', bits: [26, 21], role: 'count', when: 'loop' })),
      "X: field 'count' depends on 'loop', which does not exist",
    ],
    [
      'an access to nothing',
      broken(VAV, () => ({ accesses: [{ space: 'vector', mode: 'write', base: 'there', width: ['size'], element: 'type' }] })),
      "X: access field 'there' is no register field of each form",
    ],
    [
      'a stride without rows',
      broken(VAV, () => ({
        accesses: [{ space: 'vector', mode: 'write', base: 'out', width: ['size'], element: 'type', stride: 'ostride' }],
      })),
      'X: a stride needs rows',
    ],
    [
      'a flag on a write',
      broken(VMM, () => ({
        accesses: [{ space: 'vector', mode: 'write', base: 'out', width: ['out_size'], element: 'type', readWhen: 'acc' }],
      })),
      'X: only an update has a flag',
    ],
    ['no form', broken(VAV, () => ({ forms: {}, accesses: [] })), 'X: it has no form'],
    [
      'forms that cannot be told apart',
      broken(VAS, (record) => ({
        forms: { ...(record.forms.immediate && { register: record.forms.immediate, immediate: record.forms.immediate }) },
      })),
      'X: both of its forms have an immediate',
    ],
  ])('notice %s', (_, problems, problem) => {
    expect(problems).toContain(problem);
  });

  it('notice an opcode used twice, and a mnemonic that cannot be read', () => {
    if (VAV === undefined) throw new Error('no such instruction');
    expect(checkTable({ X: VAV, Y: VAV, 'a.b': { ...VAV, opcode: 1 } })).toEqual([
      'Y: opcode 32 is that of X',
      'a.b: mnemonics are upper-case letters and digits',
    ]);
  });

  it('account for all 64 bits', () => {
    const map = bitMap(formOf('VLOAD', 'register'));
    expect(map).toHaveLength(64);
    expect(map.filter((owner) => owner === undefined)).toHaveLength(2);
    expect(map.slice(56)).toEqual(Array(8).fill('opcode'));
  });
});
