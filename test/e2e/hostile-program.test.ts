/** A compiled program with damage that its hashes do not show: it is refused, or it runs contained and stops. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { ContainerError, decodeContainer, encodeContainer } from '../../isa/container.ts';
import type { Program } from '../../isa/program.ts';
import { targetHash } from '../../isa/target.ts';
import { verifyProgram } from '../../isa/verify.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { MachineError } from '../../runtime/machine/error.ts';
import { Trap } from '../../runtime/machine/trap.ts';
import { loadTarget } from '../support/targets.ts';
import { runs } from '../support/effort.ts';

const RUNS = runs(500);
const target = loadTarget('cambricon');
const info = { targetHash: targetHash(target), producer: 'test' };

function compiled(): Program {
  const builder = new GraphBuilder('net');
  const x = builder.input('x', tensorType('f32', [1, 8, 8, 2]));
  const data = (shape: readonly number[]) => ({
    type: tensorType('f32', shape),
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5),
  });
  const w = builder.constant('w', data([3, 3, 2, 4]));
  const y = builder.op('conv', [x, w], { layout: 'nhwc', pads: [1, 1, 1, 1], activation: 'relu' }, { name: 'conv' });
  builder.output('y', builder.op('max-pool', [y], { layout: 'nhwc', kernel: [2, 2], strides: [2, 2] }, { name: 'pool' }));
  return lower(builder.build('legal'), target).program;
}

/** Runs what is left of a program with an instruction budget; only its own errors may come out. */
function runContained(program: Program): 'ended' | 'trapped' | 'refused' {
  if (verifyProgram(program, target).length > 0) return 'refused';
  try {
    const machine = new Machine(program, target, { dramLimitBytes: 1 << 22 });
    for (const port of program.inputs) machine.writeInput(port.name, new Float32Array(port.shape.reduce((a, b) => a * b, 1)).fill(1));
    machine.run({ maxInstructions: 20_000 });
    return 'ended';
  } catch (error) {
    if (error instanceof Trap) return 'trapped';
    if (error instanceof MachineError) return 'refused';
    throw error;
  }
}

describe('a damaged program', () => {
  const good = compiled();
  const file = encodeContainer(good, info);

  it('runs when it is not damaged', () => {
    expect(runContained(decodeContainer(file).program)).toBe('ended');
  });

  it('is refused when bytes are flipped, cut off or added', () => {
    const damaged = fc.oneof(
      fc
        .tuple(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }))
        .map(([at, flip]) => file.map((byte, i) => (i === at ? byte ^ flip : byte))),
      fc.nat(file.length - 1).map((length) => file.slice(0, length)),
      fc.uint8Array({ minLength: 1, maxLength: 64 }).map((more) => Uint8Array.of(...file, ...more)),
    );
    fc.assert(
      fc.property(damaged, (bytes) => {
        expect(() => decodeContainer(bytes)).toThrow(ContainerError);
      }),
      { numRuns: RUNS },
    );
  });

  it('is refused or runs contained when its hashes were recomputed', () => {
    const outcomes = new Map<string, number>();
    const words = fc.array(fc.tuple(fc.nat(good.code.length - 1), fc.integer({ min: 1, max: 0xffffffff })), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(words, fc.boolean(), (flips, bitOnly) => {
        const code = good.code.slice();
        for (const [at, bits] of flips) code[at] = ((code[at] ?? 0) ^ (bitOnly ? 1 << (bits & 31) : bits)) >>> 0;
        const outcome = runContained(decodeContainer(encodeContainer({ ...good, code }, info)).program);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }),
      { numRuns: RUNS },
    );
    // All three happen, so the property is not empty.
    expect([...outcomes.keys()].sort()).toEqual(['ended', 'refused', 'trapped']);
  });
});
