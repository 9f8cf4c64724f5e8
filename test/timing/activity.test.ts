/** Counts and energy of small programs, reckoned by hand. */
import { describe, expect, it } from 'vitest';
import { noActivity } from '../../runtime/machine/activity.ts';
import { energyOf } from '../../runtime/machine/energy.ts';
import { stepsOf, time } from '../support/steps.ts';
import { loadTarget } from '../support/targets.ts';

const target = loadTarget('cambricon');
const REGISTERS = { 1: 0, 2: 4096, 3: 8192, 10: 30, 11: 20, 12: 600, 20: 5, 21: 256, 30: 2 };

/** Loads a 30 × 20 matrix and five rows of 30, multiplies, adds, stores the five rows of 20. */
const PROGRAM = `
  MLOAD.f32 $0, $12, $0, #0
  VLOAD2.f32 $1, $10, $0, $20, $21, $21
  VMM.f32.acc.rep $2, $11, $0, $1, $10, $20, $21, $21
  VAS.f32.rep $2, $11, $2, $0, $20, $21, $21
  VSTORE2.f32 $2, $11, $0, $20, $21, $21
  SLOAD $40, $0, #0
  SMUL $41, $40, #3
  SSTORE $41, $0, #4
  VMAX.f32 $42, $11, $2
  VDP $43, $11, $1, $1
  JUMP #1`;

const report = time(stepsOf(PROGRAM, REGISTERS), target).report;

describe('activity', () => {
  it('counts instructions by class and mnemonic', () => {
    expect(report.activity.instructions).toBe(11);
    expect(report.activity.classes).toEqual({ control: 1, transfer: 5, matrix: 1, vector: 3, scalar: 1 });
    expect(report.activity.mnemonics['VLOAD2']).toBe(1);
    const loop = time(stepsOf('L0: SADD $30, $30, #-1\n CB #L0, $30', REGISTERS), target).report;
    expect(loop.activity.mnemonics).toEqual({ SADD: 2, CB: 2 });
  });

  it('counts operations by kind and element type', () => {
    // Product: 5 · 30 · 20 = 3000. VAS: 5 · 20. VMAX: 20. Dot product of 20 in fx16. One word multiplied; control counts one
    // operation of no kind.
    expect(report.activity.operations).toEqual({
      ...noActivity().operations,
      f32: { multiply: 3000, add: 100, accumulate: 3000, divide: 0, transcendental: 0, compare: 20 },
      fx16: { multiply: 20, add: 20, accumulate: 0, divide: 0, transcendental: 0, compare: 0 },
      word: { multiply: 1, add: 0, accumulate: 0, divide: 0, transcendental: 0, compare: 0 },
    });
    expect(report.activity.macs).toBe(3020);
  });

  it('counts bytes by memory and direction', () => {
    expect(report.activity.bytes).toEqual({
      // The matrix and five rows of 30 in; five rows of 20 out.
      dram: { read: 2400 + 600, write: 400 },
      // In: 600 loaded, 400 of the product, 400 of the sum. Out: 600 into the product and its accumulators 400, sum 400, store
      // 400, maximum 80, dot product 2 · 40.
      vector: { read: 600 + 400 + 400 + 400 + 80 + 80, write: 600 + 400 + 400 },
      // Each of the five rows reads the whole matrix.
      matrix: { read: 5 * 2400, write: 2400 },
      cache: { read: 4, write: 4 },
    });
  });

  it('counts the accumulators of VMAC as read and written', () => {
    // Four rows of 20 elements in f32: factors and accumulators read, accumulators written.
    const { bytes } = time(stepsOf('VMAC.f32.rep $2, $11, $1, $3, $20, $21, $21, $0', { ...REGISTERS, 20: 4 }), target).report.activity;
    expect(bytes.vector).toEqual({ read: 3 * 320, write: 320 });
  });

  it('counts the operations of quantized instructions at their own types, and what rows share once', () => {
    // Three rows of 20 channels in i8: nine taps each, ended with 8 bytes of parameters a channel; two quantized rows are added.
    const { operations, macs, bytes } = time(
      stepsOf(
        `VCMM.i8.rep $2, $11, $1, $3, $5, $20, $21, $21
         VRQ.i8.element.rep $1, $11, $2, $3, $20, $0, $0
         VQAV $1, $11, $1, $3, $0, $0, $0, $0
         VFIN.f16.element.none.rep $1, $11, $2, $3, $20`,
        { ...REGISTERS, 3: 16384, 5: 9, 20: 3 },
      ),
      target,
    ).report.activity;
    expect(operations.i8).toEqual({ multiply: 540, add: 0, accumulate: 540, divide: 0, transcendental: 0, compare: 0 });
    expect(operations.word).toEqual({ multiply: 60, add: 60, accumulate: 0, divide: 0, transcendental: 0, compare: 60 });
    expect(operations.fx16).toEqual({ multiply: 40, add: 40, accumulate: 0, divide: 0, transcendental: 0, compare: 20 });
    expect(operations.f32).toEqual({ multiply: 0, add: 60, accumulate: 0, divide: 0, transcendental: 0, compare: 60 });
    expect(operations.f16).toEqual(noActivity().operations.f16);
    expect(macs).toBe(540);
    // Read: VCMM its input and its matrix for each row; VRQ sums and parameters once; VQAV two rows; VFIN sums and biases once.
    expect(bytes.vector.read).toBe(3 * 180 + 3 * 180 + (240 + 160) + 40 + (240 + 80));
    expect(bytes.vector.write).toBe(240 + 60 + 20 + 120);
  });

  it('gives layers their own', () => {
    const { layers } = time(stepsOf(PROGRAM, REGISTERS), target, { keyOf: (pc) => (pc < 5 ? 'product' : 'rest') }).report;
    expect(layers.map(({ key, activity }) => [key, activity.instructions, activity.macs, activity.bytes.dram.read])).toEqual([
      ['product', 5, 3000, 3000],
      ['rest', 6, 20, 0],
    ]);
  });
});

describe('energy', () => {
  it('prices nothing at nothing', () => {
    expect(energyOf({ activity: noActivity(), cycles: 0 }, target).joules).toBe(0);
  });

  it('prices each count of the example', () => {
    const { causes, joules } = energyOf(report, target);
    const picojoules = Object.fromEntries(Object.entries(causes).map(([cause, value]) => [cause, value * 1e12]));
    // f32: 3000 · 3.7 + 3100 · 0.9 + 20 · 0.9 = 13908. fx16: 20 · 0.6 + 20 · 0.05 = 13. word: 3.1.
    expect(picojoules['operations']).toBeCloseTo(13_924.1, 6);
    expect(picojoules['dram']).toBeCloseTo(3400 * 160, 6);
    expect(picojoules['vector']).toBeCloseTo(3360 * 1.25, 6);
    expect(picojoules['matrix']).toBeCloseTo(14_400 * 1.25, 6);
    expect(picojoules['cache']).toBeCloseTo(8 * 1.25, 6);
    expect(picojoules['instructions']).toBeCloseTo(110, 6);
    // 0.17 W is 170 pJ a nanosecond, which is a cycle.
    expect(picojoules['static']).toBeCloseTo(170 * report.cycles, 6);
    expect(Object.values(causes).reduce((sum, part) => sum + part, 0)).toBe(joules);
  });

  it('charges static power by time, not by cycles', () => {
    const slower = { ...target, clockHertz: 5e8 };
    expect(energyOf(report, slower).causes.static).toBeCloseTo(2 * energyOf(report, target).causes.static, 18);
    expect(time(stepsOf(PROGRAM, REGISTERS), slower).report.seconds).toBeCloseTo(report.cycles / 5e8, 15);
  });

  it('draws what peak arithmetic costs', () => {
    // 1024 multiply-accumulates a cycle at 0.65 pJ, with the matrix read from its scratchpad: an fx16 product of 1024 × 384.
    const steps = stepsOf('VMM $1, $10, $0, $2, $11', { 1: 0, 2: 32768, 10: 1024, 11: 384 });
    const { report: peak } = time(steps, target);
    const { operations, matrix } = energyOf(peak, target).causes;
    const watts = (operations + matrix) / (peak.busyCycles.matrix / target.clockHertz);
    // 1024 · (0.65 + 2 · 1.25) pJ a nanosecond: 3.2 W, where the paper's whole chip draws 1.695 W.
    expect(watts).toBeCloseTo(1.024 * 3.15, 6);
  });
});
