import { describe, expect, it } from 'vitest';
import { assemble } from '../../isa/assembly.ts';
import type { MemoryMap, Port, Program } from '../../isa/program.ts';
import { dramEnd, instructionCount, portBytes, portElementCount, sourceOf } from '../../isa/program.ts';
import type { Extension } from '../../isa/fields.ts';
import type { Target } from '../../isa/target.ts';
import { verifyProgram } from '../../isa/verify.ts';
import { smallProgram } from '../support/programs.ts';
import { loadTarget } from '../support/targets.ts';

const target = loadTarget('cambricon');
const messages = (program: Program, to = target): string[] =>
  verifyProgram(program, to).map(({ index, message }) => `${index === undefined ? '' : `${index}: `}${message}`);

const without = (extension: Extension): Target => ({ ...target, extensions: target.extensions.filter((each) => each !== extension) });
const memory = (changes: Partial<MemoryMap>): Partial<Program> => ({ memory: { ...smallProgram().memory, ...changes } });
const input = (changes: Partial<Port>): Partial<Program> => ({ inputs: smallProgram().inputs.map((port) => ({ ...port, ...changes })) });
const code = (text: string): Partial<Program> => ({ code: assemble(text).code, debug: [] });

describe('verifyProgram', () => {
  it('finds nothing wrong with a sound program', () => {
    expect(messages(smallProgram())).toEqual([]);
    expect(messages(smallProgram({ code: new Uint32Array(), debug: [] }))).toEqual([]);
    expect(messages(smallProgram(code('JUMP #0\nJUMP #1\nCB #-2, $1')))).toEqual([]);
  });

  it.each<[string, Partial<Program>, string, Target?]>([
    ['an illegal word', code('.word 0, 0'), '0: illegal instruction: unknown opcode 0x00'],
    ['a branch before the start', code('JUMP #-1'), '0: JUMP goes to instruction -1, outside the program'],
    ['a branch beyond the end', code('CB #2, $1'), '0: CB goes to instruction 2, outside the program'],
    ['half an instruction', { code: Uint32Array.of(1), debug: [] }, 'the code has an odd number of words'],
    ['another target', { target: 'tpu' }, "the program is for target 'tpu', not 'cambricon'"],
    ['no budget', { maxInstructions: 0 }, 'the instruction budget 0 is not an integer from 1 to 2^40'],
    ['an endless budget', { maxInstructions: 2 ** 41 }, 'the instruction budget 2199023255552 is not an integer from 1 to 2^40'],
    ['overlapping segments', memory({ activations: { start: 128, bytes: 8 } }), "segment 'outputs' overlaps segment 'activations'"],
    ['an unaligned segment', memory({ spill: { start: 200, bytes: 8 } }), "segment 'spill' starts at 200, no multiple of 64"],
    ['a segment of no size', memory({ spill: { start: 192, bytes: -8 } }), "segment 'spill' has no valid start and size"],
    ['a segment of a fraction', memory({ spill: { start: 192, bytes: NaN } }), "segment 'spill' has no valid start and size"],
    [
      'too much memory',
      memory({ spill: { start: 2 ** 32, bytes: 4 } }),
      "the program needs 4294967300 bytes of DRAM, target 'cambricon' has 4294967296",
    ],
    [
      'no room for scratchpads',
      memory({ spill: { start: 2 ** 32 - 64, bytes: 4 } }),
      'DRAM of 4294967236 bytes and the scratchpads exceed 4 GiB',
    ],
    ['missing constants', { constants: new Uint8Array() }, 'there are 0 bytes of constants for a segment of 4'],
    ['a port outside its segment', input({ address: 72 }), "input 'x' does not lie in its segment"],
    ['a port of the wrong size', input({ bytes: 12 }), "input 'x' takes 12 bytes, its shape and type 16"],
    ['an unaligned port', input({ address: 66 }), "input 'x' starts at 66, which is not aligned for f32"],
    ['a shape of fractions', input({ shape: [1, 2, 1.5] }), "input 'x' has no valid shape [1,2,1.5]"],
    ['a layout that repeats', input({ layout: [0, 1, 1] }), "input 'x' has layout [0,1,1], no permutation of 3 dimensions"],
    ['a layout of another rank', input({ layout: [0, 1] }), "input 'x' has layout [0,1], no permutation of 3 dimensions"],
    [
      'another binary point, where there is one for all',
      input({ stored: 'fx16.3', bytes: 8 }),
      "input 'x' is stored as fx16.3, and target 'cambricon' has 10 fraction bits",
      without('xq16'),
    ],
    [
      'an element type of an extension',
      input({ stored: 'bf16', bytes: 8 }),
      "input 'x' is stored as bf16, and target 'cambricon' lacks the extension xf16",
      without('xf16'),
    ],
    [
      'a conversion with several scales',
      input({ via: ['i8<axis=1:0.1 0.2>'] }),
      "input 'x' passes i8<axis=1:0.1 0.2>, which has more than one scale",
    ],
    ['ports that overlap', { inputs: [...smallProgram().inputs, ...smallProgram().inputs] }, "input 'x' overlaps input 'x'"],
    ['ports of one name', { inputs: [...smallProgram().inputs, ...smallProgram().inputs] }, 'two inputs share a name'],
    [
      'debug entries beyond the end',
      { debug: [{ first: 8, count: 2, tile: '', node: 'y', origin: [] }] },
      "the debug entry of 'y' at instruction 8 is out of order or out of range",
    ],
    [
      'debug entries out of order',
      { debug: [...smallProgram().debug].reverse() },
      "the debug entry of 'x' at instruction 3 is out of order or out of range",
    ],
  ])('notices %s', (_, changes, message, to = target) => {
    expect(messages(smallProgram(changes), to)).toContain(message);
  });

  it('holds programs to the extensions of the target', () => {
    const found = messages(smallProgram({ target: 'cambricon-base' }), loadTarget('cambricon-base'));
    expect(found).toEqual([
      "input 'x' is stored as f32, and target 'cambricon-base' lacks the extension xf32",
      "output 'y' is stored as f32, and target 'cambricon-base' lacks the extension xf32",
      "4: VLOAD needs the extension xf32, which target 'cambricon-base' lacks",
      "5: VAS needs the extension xf32, which target 'cambricon-base' lacks",
      "8: VSTORE needs the extension xf32, which target 'cambricon-base' lacks",
    ]);
  });

  it('stops after a hundred findings', () => {
    expect(messages(smallProgram({ code: new Uint32Array(4000), debug: [] }))).toHaveLength(100);
  });
});

describe('a program', () => {
  it('knows where an instruction comes from', () => {
    const program = smallProgram();
    expect(Array.from({ length: instructionCount(program) + 1 }, (_, i) => sourceOf(program, i)?.node)).toEqual([
      undefined,
      undefined,
      undefined,
      'x',
      'x',
      'y',
      'y',
      'y',
      undefined,
      undefined,
    ]);
    expect(sourceOf(smallProgram({ debug: [] }), 0)).toBeUndefined();
  });

  it('knows its sizes', () => {
    const [port] = smallProgram().inputs;
    expect(port && [portElementCount(port), portBytes(port), portBytes({ ...port, stored: 'fx16.10' })]).toEqual([4, 16, 8]);
    expect(dramEnd(smallProgram().memory)).toBe(192);
  });
});
