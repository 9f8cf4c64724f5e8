import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble, AssemblyError, disassemble, printInstruction } from '../../isa/assembly.ts';
import { encode, encodeProgram, isIllegal } from '../../isa/codec.ts';
import { makeInstruction } from '../../isa/instruction.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import { arbitraryInstruction } from '../support/instructions.ts';
import { loadTarget } from '../support/targets.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });

/** Code of legal instructions, short branches and arbitrary words. */
const anyCode = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: arbitraryInstruction().map((instruction) => encode(instruction)) },
      {
        weight: 2,
        arbitrary: fc.integer({ min: -12, max: 12 }).map((target) => encode(makeInstruction('JUMP', { target }, 'immediate'))),
      },
      { weight: 1, arbitrary: fc.tuple(u32, u32) },
    ),
    { maxLength: 40 },
  )
  .map((words) => Uint32Array.from(words.flat()));

function problemsOf(text: string): string[] {
  try {
    assemble(text);
  } catch (error) {
    if (error instanceof AssemblyError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('text round trip', () => {
  it('assembles what it disassembles, for any words', () => {
    fc.assert(
      fc.property(anyCode, fc.boolean(), fc.boolean(), fc.option(fc.string()), (code, labels, addresses, note) => {
        const text = disassemble(code, { labels, addresses, annotate: () => note ?? undefined });
        expect(assemble(text).code).toEqual(code);
        expect(disassemble(assemble(text).code, { labels, addresses, annotate: () => note ?? undefined })).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps every instruction, in any case of letters', () => {
    fc.assert(
      fc.property(arbitraryInstruction(), (instruction) => {
        const text = printInstruction(instruction);
        for (const spelling of [text, text.toLowerCase(), text.toUpperCase().replace(/0X/g, '0x')])
          expect(assemble(spelling).instructions).toEqual([instruction]);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('printing', () => {
  const print = (instruction: AnyInstruction): string => printInstruction(instruction);
  it.each([
    [makeInstruction('VAV', { out: 1, size: 2, a: 3, b: 4 }), 'VAV $1, $2, $3, $4'],
    [
      makeInstruction('VAV', { out: 1, size: 2, a: 3, b: 4, type: 1, rep: 1, count: 5, ostride: 6, astride: 7, bstride: 8 }),
      'VAV.f32.rep $1, $2, $3, $4, $5, $6, $7, $8',
    ],
    [makeInstruction('VMM', { out: 1, out_size: 2, matrix: 3, in: 4, in_size: 5, type: 1, acc: 1 }), 'VMM.f32.acc $1, $2, $3, $4, $5'],
    [makeInstruction('VCVT', { out: 1, size: 2, in: 3 }), 'VCVT.fx16.fx16 $1, $2, $3'],
    [
      makeInstruction('VCVT', { out: 1, size: 2, in: 3, low: 4, high: 5, type: 1, type_out: 1, activation: 2 }),
      'VCVT.f32.f32.clip $1, $2, $3, $4, $5',
    ],
    [makeInstruction('VAS', { out: 1, size: 2, a: 3, scalar: 1024 }, 'immediate'), 'VAS $1, $2, $3, #1024'],
    [makeInstruction('VAS', { out: 1, size: 2, a: 3, scalar: 0x3f800000, type: 1 }, 'immediate'), 'VAS.f32 $1, $2, $3, #0x3f800000'],
    [makeInstruction('CB', { condition: 4, target: -3 }, 'immediate'), 'CB #-3, $4'],
    [makeInstruction('SLOAD', { result: 4, base: 5, offset: -4 }), 'SLOAD $4, $5, #-4'],
  ])('%# %s', (instruction, text) => {
    expect(print(instruction)).toBe(text);
    expect(assemble(text).instructions).toEqual([instruction]);
  });

  it('names branch targets, the end of the program among them', () => {
    const text = 'L0:\n    SADD $1, $1, #-1\n    CB #L0, $1\n    JUMP #L1\n    JUMP #7\nL1:\n';
    expect(disassemble(assemble(text).code)).toBe(text);
  });

  it('says why a word is illegal', () => {
    expect(disassemble(Uint32Array.of(0, 1), { addresses: true, annotate: () => 'conv\n1' })).toBe(
      `${'    .word 0x00000000, 0x00000001'.padEnd(56)} ; 0  unknown opcode 0x00  conv 1\n`,
    );
  });
});

describe('assemble', () => {
  it('resolves labels forwards and backwards, and keeps lines', () => {
    const { instructions, labels, lines, code } = assemble(
      '; loop\nstart: top: SADD $1,$1,#-1 // decrement\n\nCB #top,$1\r\n JUMP #end\nend:',
    );
    expect(instructions.map((instruction) => (isIllegal(instruction) ? '' : printInstruction(instruction)))).toEqual([
      'SADD $1, $1, #-1',
      'CB #-1, $1',
      'JUMP #1',
    ]);
    expect([...labels]).toEqual([
      ['start', 0],
      ['top', 0],
      ['end', 3],
    ]);
    expect(lines).toEqual([2, 4, 5]);
    expect(code).toEqual(
      encodeProgram([
        makeInstruction('SADD', { result: 1, a: 1, b: -1 }, 'immediate'),
        makeInstruction('CB', { condition: 1, target: -1 }, 'immediate'),
        makeInstruction('JUMP', { target: 1 }, 'immediate'),
      ]),
    );
  });

  it.each([
    ['VAVV $1, $2, $3, $4', "line 1:1: unknown mnemonic 'VAVV' (did you mean VAV?)"],
    ['frobnicate_everything $1', "line 1:1: unknown mnemonic 'frobnicate_everything'"],
    ['  VAV $1, $2, $3', 'line 1:3: VAV takes 4 operands, not 3 (VAV out, size, a, b)'],
    ['VAV.rep $1, $2, $3, $4', 'line 1:1: VAV.rep takes 8 operands, not 4 (VAV.rep out, size, a, b, count, ostride, astride, bstride)'],
    ['VAV $1, $2, $3, #4', "line 1:17: operand 'b' is a register, not '#4' (registers are $0 to $63)"],
    ['VAV $1, $2, $64, $4', 'line 1:13: there is no register $64 (registers are $0 to $63)'],
    ['VAV $1,, $3, $4', "line 1:8: operand 'size' is a register, not '' (registers are $0 to $63)"],
    ['VLOAD $1, $2, $3, $4', "line 1:19: operand 'offset' is an immediate, not '$4' (immediates are written #12, #-1 or #0x40)"],
    ['SADD $1, $2, #4294967296', 'line 1:14: immediate #4294967296 does not fit 32 bits'],
    ['SADD $1, $2, #1.5', "line 1:14: '#1.5' is no immediate (immediates are written #12, #-1 or #0x40)"],
    ['L0: SADD $1, $2, #L0', "line 1:18: label 'L0' where no branch offset is meant"],
    ['CB #nowhere, $1', "line 1:4: there is no label 'nowhere'"],
    ['a:\na:', "line 2:1: label 'a' is already defined on line 1"],
    ['VAV.i4 $1, $2, $3, $4', "line 1:5: element type 'i4' is reserved (suffixes of VAV, in this order: an element type, rep)"],
    ['VAV.rep.f32 $1, $2, $3, $4', "line 1:9: unexpected suffix '.f32' (suffixes of VAV, in this order: an element type, rep)"],
    ['SADD.f32 $1, $2, $3', "line 1:6: unexpected suffix '.f32' (SADD takes no suffix in this form)"],
    ['VAS.f32.rep $1, $2, $3, #1', "line 1:9: unexpected suffix '.rep' (suffixes of VAS, in this order: an element type)"],
    [
      'VCVT.f32 $1, $2, $3',
      'line 1:1: VCVT needs both of its element types, as in VCVT.f32.f32 (suffixes of VCVT, in this order: an element type, an element type, none or relu or clip)',
    ],
    ['VCVT.f32.fx16 $1, $2, $3', 'line 1:1: VCVT: conversion of f32 to fx16 is reserved'],
    ['VMM.acc $1, $2, $3, $4, $5', "line 1:1: VMM: 'acc' with fx16 elements: the 16-bit datapath rounds at write-back"],
    ['.word 1', 'line 1:1: .word takes the high and the low 32 bits (.word 0x00000000, 0x00000000)'],
    ['.word 1, -1', "line 1:10: '-1' is no unsigned 32-bit number"],
    [', $1', 'line 1:1: an instruction or a label is expected'],
    ['x'.repeat(5000), 'line 1:1: the line is longer than 4096 characters'],
  ])('explains what is wrong with %j', (text, message) => {
    expect(problemsOf(text)).toEqual([message]);
  });

  it('collects problems in order of lines, twenty at most', () => {
    expect(problemsOf('CB #x, $1\nBAD\nCB #y, $1\na:\na:')).toHaveLength(4);
    expect(problemsOf('CB #x, $1\nBAD\nCB #y, $1\na:\na:').map((problem) => problem.slice(0, 7))).toEqual([
      'line 1:',
      'line 2:',
      'line 3:',
      'line 5:',
    ]);
    expect(problemsOf('BAD\n'.repeat(100))).toHaveLength(20);
  });

  it('names the file', () => {
    expect(() => assemble('BAD', { file: 'x.casm' })).toThrow('x.casm:1:1: unknown mnemonic');
  });

  it('holds sources to the extensions of a target', () => {
    const base = { target: loadTarget('cambricon-base') };
    expect(() => assemble('VAV.rep $1, $2, $3, $4, $5, $6, $7, $8', base)).toThrow(
      "VAV.rep needs the extension xrep, which target 'cambricon-base' lacks",
    );
    expect(() => assemble('VAV.f32 $1, $2, $3, $4', base)).toThrow('xf32');
    expect(() => assemble('VLOAD2 $1, $2, $3, $4, $5, $6', base)).toThrow('xdma');
    expect(assemble('VAV $1, $2, $3, $4', base).code).toHaveLength(2);
    expect(assemble('VAV.f32.rep $1, $2, $3, $4, $5, $6, $7, $8', { target: loadTarget('cambricon') }).code).toHaveLength(2);
  });

  it('never fails but with an AssemblyError', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'VAV',
        'CB',
        'L0',
        ':',
        '$1',
        '#',
        '#-1',
        '.',
        '.f32',
        '.rep',
        ',',
        ' ',
        '\n',
        ';',
        '//',
        '.word',
        '0x',
        '#L0',
        '__proto__',
        'constructor',
      ),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        problemsOf(pieces.join(''));
      }),
      { numRuns: 5000 },
    );
  });
});
