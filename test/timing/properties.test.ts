/** Laws of the timing model over random programs, whose instructions are derived from the table. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ELEMENT_CODES } from '../../isa/fields.ts';
import { assemble } from '../../isa/assembly.ts';
import { isIllegal } from '../../isa/codec.ts';
import { elementOf, makeInstruction } from '../../isa/instruction.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import { recordOf } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import { MEMORIES, OPERATION_TYPES, OPERATIONS } from '../../runtime/machine/activity.ts';
import { energyOf } from '../../runtime/machine/energy.ts';
import type { Step } from '../../runtime/machine/observer.ts';
import { UNITS } from '../../runtime/machine/timing-plan.ts';
import type { TimingReport } from '../../runtime/machine/timing-report.ts';
import { TimingModel } from '../../runtime/machine/timing.ts';
import { CAUSE_NAMES } from '../../runtime/machine/causes.ts';
import { arbitraryInstruction, typeCodes } from '../support/instructions.ts';
import { plainReport, plainTimes } from '../support/plain-timing.ts';
import { registersWith, stepOf, time, varied } from '../support/steps.ts';
import { loadTarget } from '../support/targets.ts';

const cambricon = loadTarget('cambricon');
const bytesOf = (type: number): number => ELEMENT_CODES[elementOf({ fields: { type } })].bytes;
const RUNS = { numRuns: 300 };

/** Register values serve as sizes, counts, strides and addresses alike: small, and often equal, so that ranges overlap. */
const arbitraryRegisters = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constantFrom(0, 4, 32, 64, 256, 1024, 1088, 2048)), { minLength: 64, maxLength: 64 })
  .map((values) => registersWith(values.map((value) => value * 4)));

/** Straight-line code or a loop: the body, run over and over, each turn with registers of its own. */
const arbitrarySteps: fc.Arbitrary<Step[]> = fc
  .record({
    body: fc.array(arbitraryInstruction(), { minLength: 1, maxLength: 25 }),
    turns: fc.array(arbitraryRegisters, { minLength: 1, maxLength: 4 }),
  })
  .map(({ body, turns }) => turns.flatMap((registers) => body.map((instruction, pc) => stepOf(pc, instruction, registers))));

const arbitraryTarget: fc.Arbitrary<Target> = fc
  .record({
    memory: fc.record({ banks: fc.constantFrom(1, 2, 4, 8), bankBytes: fc.constantFrom(16, 64, 256) }),
    issue: fc.record({
      width: fc.integer({ min: 1, max: 4 }),
      issueQueue: fc.integer({ min: 1, max: 24 }),
      memoryQueue: fc.integer({ min: 1, max: 32 }),
      frontendCycles: fc.integer({ min: 0, max: 4 }),
      branchCycles: fc.integer({ min: 0, max: 4 }),
    }),
    vector: fc.record({ lanes: fc.constantFrom(1, 8, 32), depthCycles: fc.integer({ min: 0, max: 8 }) }),
    matrix: fc.record({ blocks: fc.constantFrom(1, 16, 32), lanes: fc.constantFrom(1, 32), depthCycles: fc.integer({ min: 0, max: 20 }) }),
    dma: fc.record({ bytesPerCycle: fc.integer({ min: 1, max: 128 }), latencyCycles: fc.integer({ min: 0, max: 150 }) }),
  })
  .map((changes) => varied(cambricon, changes));

const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
const everywhere = (check: (steps: Step[], target: Target) => void): void =>
  fc.assert(fc.property(arbitrarySteps, arbitraryTarget, check), RUNS);

/** Layers of five instructions. */
const keyOf = (pc: number): string => `layer ${Math.floor(pc / 5)}`;

/** The report alone, by a model that may skip turns. */
function reportOf(steps: readonly Step[], target: Target, skip: boolean, pathCapacity?: number): TimingReport {
  const model = new TimingModel(target, { keyOf, skip, ...(pathCapacity === undefined ? {} : { pathCapacity }) });
  for (const step of steps) model.step(step);
  return model.report();
}

describe('the rules', () => {
  it('give the times of a plain second writing of them', () =>
    everywhere((steps, target) => {
      expect(time(steps, target).times).toStrictEqual(plainTimes(steps, target));
      expect(time(steps, target, { pathCapacity: 20 }).times).toStrictEqual(plainTimes(steps, target));
    }));
});

describe('the report', () => {
  it('is that of a plain second writing of the rules, in all its figures', () =>
    everywhere((steps, target) => {
      const { report } = time(steps, target, { keyOf });
      expect(report).toStrictEqual(plainReport(steps, target, keyOf));
      expect(reportOf(steps, target, true)).toStrictEqual(report);
      expect(time(steps, target, { keyOf, pathCapacity: 20 }).report).toStrictEqual(report);
    }));
});

/** A loop in a loop: few bodies, each over and over with few registers, whose addresses advance each turn or stay. */
const arbitraryNest: fc.Arbitrary<Step[]> = fc
  .record({
    bodies: fc.array(fc.array(arbitraryInstruction(), { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
    registers: fc.array(arbitraryRegisters, { minLength: 1, maxLength: 2 }),
    advance: fc.constantFrom(0, 4, 64, 1024),
    inner: fc.integer({ min: 1, max: 5 }),
    outer: fc.integer({ min: 2, max: 8 }),
  })
  .map(({ bodies, registers, advance, inner, outer }) => {
    const steps: Step[] = [];
    for (let turn = 0; turn < outer; turn++)
      bodies.forEach((body, b) => {
        for (let i = 0; i < inner; i++) {
          const present = (registers[(turn + i) % registers.length] as Int32Array).map((value) => value + advance * (turn + i));
          body.forEach((instruction, k) => steps.push(stepOf(100 * b + k, instruction, present)));
        }
      });
    return steps;
  });

function legal(instruction: ReturnType<typeof assemble>['instructions'][number]): AnyInstruction {
  if (isIllegal(instruction)) throw new Error(instruction.reason);
  return instruction;
}

describe('turns that repeat', () => {
  const nests = (check: (steps: Step[], target: Target) => void): void =>
    fc.assert(fc.property(arbitraryNest, arbitraryTarget, check), { numRuns: 500, seed: 1 });

  it('are reported as if each were timed, in all figures', () =>
    nests((steps, target) => {
      expect(reportOf(steps, target, true)).toStrictEqual(reportOf(steps, target, false));
      expect(reportOf(steps, target, true, 20)).toStrictEqual(reportOf(steps, target, false));
    }));

  it('are reported as a plain second writing of the rules does', () =>
    fc.assert(
      fc.property(arbitraryNest, arbitraryTarget, (steps, target) => {
        fc.pre(steps.length < 150);
        expect(reportOf(steps, target, true)).toStrictEqual(plainReport(steps, target, keyOf));
      }),
      { numRuns: 200 },
    ));

  it('may be interrupted by a report', () =>
    nests((steps, target) => {
      const model = new TimingModel(target, { keyOf });
      const middle = Math.floor(steps.length / 2);
      for (const step of steps.slice(0, middle)) model.step(step);
      expect(model.report()).toStrictEqual(reportOf(steps.slice(0, middle), target, false));
      for (const step of steps.slice(middle)) model.step(step);
      expect(model.report()).toStrictEqual(reportOf(steps, target, false));
    }));

  it('are not those of events that happen to be at the same time', () => {
    // Two orders of a reduction and a product that end together: what is latest is the result of the former, or of the latter.
    const registers = registersWith({ 1: 0, 2: 4096, 3: 8256, 4: 0, 5: 32 * 14, 6: 32 * 13, 7: 32 * 9, 8: 32 * 10, 9: 32 });
    const at = (pc: number, text: string): Step[] => assemble(text).instructions.map((each, i) => stepOf(pc + i, legal(each), registers));
    const drain = 'SDIV $40, $40, #1\nSDIV $40, $40, #1\nSDIV $40, $40, #1\nSADD $40, $40, #1\nJUMP #1\n';
    const one = [...at(30, `${drain}VMAX $20, $5, $1\nVMM $2, $7, $4, $3, $9`), ...at(60, 'SMOVE $50, #0')];
    const other = [...at(10, `${drain}VMM $2, $8, $4, $3, $9\nVMAX $20, $6, $1`), ...at(60, 'SMOVE $50, #0')];
    const use = at(20, 'SADD $21, $20, #1');
    const steps = [...use, ...one, ...use, ...other, ...use];
    expect(reportOf(steps, cambricon, true)).toStrictEqual(reportOf(steps, cambricon, false));
    const [first, second] = [one, other].map((part) => time([...part, ...use], cambricon).times.map(({ result }) => result));
    expect(first?.at(-1)).toBe(second?.at(-1));
  });

  it('may be longer than what is looked at as a whole', () => {
    const body = Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? 'VAV $2, $5, $1, $3' : `SADD $${30 + (i % 20)}, $30, #1`)).join('\n');
    const registers = registersWith({ 1: 0, 2: 4096, 3: 8256, 5: 64 });
    const turn = assemble(body).instructions.map((each, pc) => stepOf(pc, legal(each), registers));
    const steps = Array.from({ length: 20 }, () => turn).flat();
    const model = new TimingModel(cambricon, { keyOf });
    for (const step of steps) model.step(step);
    expect(model.report()).toStrictEqual(reportOf(steps, cambricon, false));
    expect(model.skipped).toBeGreaterThan(steps.length / 2);
  });

  it('are forgotten where there are many', () => {
    // Sizes, and with them turns and states, that never come again; then some that do.
    const [add, loop] = assemble('VAV $2, $5, $1, $3\nSADD $30, $30, #1').instructions.map((each) => legal(each)) as [
      AnyInstruction,
      AnyInstruction,
    ];
    const steps = Array.from({ length: 20_000 }, (_, i) => i).flatMap((i) => {
      const registers = registersWith({ 1: 0, 2: 16_384, 3: 32_768 + 64, 5: i < 19_000 ? 1 + ((i * 7919) % 8191) : 64 });
      return [stepOf(0, add, registers), stepOf(1, loop, registers)];
    });
    const model = new TimingModel(cambricon, { keyOf });
    for (const step of steps) model.step(step);
    expect(model.report()).toStrictEqual(reportOf(steps, cambricon, false));
    expect(model.skipped).toBeGreaterThan(1500);
  });

  it('are not timed one by one', () => {
    let skipped = 0;
    let all = 0;
    nests((steps, target) => {
      const model = new TimingModel(target);
      for (const step of steps) model.step(step);
      skipped += model.skipped;
      all += steps.length;
    });
    expect(skipped / all).toBeGreaterThan(0.1);
  });
});

describe('accounting', () => {
  it('charges every cycle to one cause', () =>
    everywhere((steps, target) => {
      const { report, times } = time(steps, target);
      expect(sum(Object.values(report.causes))).toBe(report.cycles);
      expect(report.cycles).toBe(Math.max(...times.map(({ result }) => result)));
      expect(Math.min(...Object.values(report.causes))).toBeGreaterThanOrEqual(0);
    }));

  it('gives every cycle, count and byte to one layer', () =>
    everywhere((steps, target) => {
      const { report } = time(steps, target, { keyOf });
      const { layers } = report;
      const over = (f: (layer: (typeof layers)[number]) => number): number => sum(layers.map(f));
      expect(over(({ cycles }) => cycles)).toBe(report.cycles);
      for (const cause of CAUSE_NAMES) expect(over(({ causes }) => causes[cause])).toBe(report.causes[cause]);
      for (const unit of UNITS) expect(over(({ busyCycles }) => busyCycles[unit])).toBe(report.busyCycles[unit]);
      expect(over(({ activity }) => activity.instructions)).toBe(steps.length);
      expect(over(({ activity }) => activity.macs)).toBe(report.activity.macs);
      for (const memory of MEMORIES) {
        expect(over(({ activity }) => activity.bytes[memory].read)).toBe(report.activity.bytes[memory].read);
        expect(over(({ activity }) => activity.bytes[memory].write)).toBe(report.activity.bytes[memory].write);
      }
      for (const type of OPERATION_TYPES)
        for (const operation of OPERATIONS)
          expect(over(({ activity }) => activity.operations[type][operation])).toBe(report.activity.operations[type][operation]);
      // Sums of fewer than 128 terms, in different orders, each rounded to 2^-53 of its size.
      const { joules } = energyOf(report, target);
      expect(Math.abs(over((layer) => energyOf(layer, target).joules) - joules)).toBeLessThanOrEqual(128 * 2 ** -53 * joules);
    }));

  it('does not depend on how layers are named, how often it is asked, or when the path is collected', () =>
    everywhere((steps, target) => {
      const { report } = time(steps, target, { keyOf });
      expect(time(steps, target, { keyOf })).toStrictEqual(time(steps, target, { keyOf }));
      expect(time(steps, target, { keyOf, pathCapacity: 20 }).report).toStrictEqual(report);
      const { layers, ...whole } = report;
      const { layers: one, ...alone } = time(steps, target).report;
      expect(alone).toStrictEqual(whole);
      expect(one).toHaveLength(1);
      expect(layers.length).toBe(new Set(steps.map(({ pc }) => keyOf(pc))).size);
    }));

  it('leaves what it is shown as it was', () =>
    everywhere((steps, target) => {
      const before = structuredClone(steps);
      time(steps, target);
      expect(steps).toStrictEqual(before);
    }));

  it('loads as many bytes into scratchpads as it reads from main memory', () => {
    const transfers = arbitraryInstruction([
      'VLOAD',
      'VSTORE',
      'MLOAD',
      'MSTORE',
      'VLOAD2',
      'VSTORE2',
      'VLOAD3',
      'VSTORE3',
      'SLOAD',
      'SSTORE',
    ]);
    fc.assert(
      fc.property(fc.array(transfers), arbitraryRegisters, (body, registers) => {
        const { dram, vector, matrix } = time(
          body.map((instruction, pc) => stepOf(pc, instruction, registers)),
          cambricon,
        ).report.activity.bytes;
        expect(vector.write + matrix.write).toBe(dram.read);
        expect(vector.read + matrix.read).toBe(dram.write);
      }),
      RUNS,
    );
  });
});

describe('bounds', () => {
  it('takes at least as long as each unit is busy', () =>
    everywhere((steps, target) => {
      const { cycles, busyCycles } = time(steps, target).report;
      for (const unit of UNITS) expect(cycles).toBeGreaterThanOrEqual(busyCycles[unit]);
    }));

  it('takes at least as long as the memory, the arithmetic and the issue need', () =>
    everywhere((steps, target) => {
      const { cycles, activity } = time(steps, target).report;
      const { dram } = activity.bytes;
      expect(cycles * target.dma.bytesPerCycle).toBeGreaterThanOrEqual(dram.read + dram.write);
      expect(cycles * target.issue.width).toBeGreaterThanOrEqual(activity.instructions);
      expect(cycles * target.vector.lanes).toBeGreaterThanOrEqual(lanesOfMacs(steps, 'vector'));
      expect(cycles * target.matrix.blocks * target.matrix.lanes).toBeGreaterThanOrEqual(lanesOfMacs(steps, 'matrix'));
    }));

  it('keeps the order of stages, of issue and of dispatch', () =>
    everywhere((steps, target) => {
      const { times } = time(steps, target);
      times.forEach(({ fetch, issue, dispatch, end, result }, i) => {
        expect(issue).toBeGreaterThanOrEqual(fetch + target.issue.frontendCycles);
        expect(dispatch).toBeGreaterThanOrEqual(issue);
        expect(end).toBeGreaterThanOrEqual(dispatch);
        expect(result).toBeGreaterThanOrEqual(end);
        expect(issue).toBeGreaterThanOrEqual(times[i - 1]?.issue ?? 0);
        const grouped = times[i - target.issue.width];
        if (grouped !== undefined) expect(issue).toBeGreaterThan(grouped.issue);
      });
    }));
});

describe('a faster machine is never slower', () => {
  const grow = fc.integer({ min: 1, max: 8 });
  const faster: Record<string, (target: Target, by: number) => Target> = {
    'more bandwidth': (target, by) => varied(target, { dma: { bytesPerCycle: target.dma.bytesPerCycle + by } }),
    'less memory latency': (target, by) => varied(target, { dma: { latencyCycles: Math.max(0, target.dma.latencyCycles - 10 * by) } }),
    'a wider issue': (target, by) => varied(target, { issue: { width: target.issue.width + by } }),
    'a longer issue queue': (target, by) => varied(target, { issue: { issueQueue: target.issue.issueQueue + by } }),
    'a longer memory queue': (target, by) => varied(target, { issue: { memoryQueue: target.issue.memoryQueue + by } }),
    'cheaper branches': (target, by) => varied(target, { issue: { branchCycles: Math.max(0, target.issue.branchCycles - by) } }),
    'a shorter front end': (target, by) => varied(target, { issue: { frontendCycles: Math.max(0, target.issue.frontendCycles - by) } }),
    'a shallower matrix pipeline': (target, by) => varied(target, { matrix: { depthCycles: Math.max(0, target.matrix.depthCycles - by) } }),
    'a shallower vector pipeline': (target, by) => varied(target, { vector: { depthCycles: Math.max(0, target.vector.depthCycles - by) } }),
    'more blocks': (target, by) => varied(target, { matrix: { blocks: target.matrix.blocks + by } }),
    'more elementwise throughput': (target, by) =>
      varied(target, { matrix: { elementsPerCycle: target.matrix.elementsPerCycle + 100 * by } }),
    'faster exponentials': (target, by) => varied(target, { vector: { transcendentalCycles: 17 - by } }),
    'a faster cache': (target, by) => varied(target, { scalar: { memoryCycles: Math.max(1, 4 - by) } }),
    'faster f32': (target) => varied(target, { rates: { f32: 2 } }),
    'faster 8-bit integers': (target) => varied(target, { rates: { i8: 0.25 } }),
    'faster 16-bit floats': (target) => varied(target, { rates: { f16: 0.5, bf16: 0.5 } }),
  };

  it.each(Object.entries(faster))('%s', (_, change) => {
    fc.assert(
      fc.property(arbitrarySteps, arbitraryTarget, grow, (steps, target, by) => {
        const slow = time(steps, target).times;
        const fast = time(steps, change(target, by)).times;
        // Not only the program as a whole: no instruction is done later.
        fast.forEach(({ result }, i) => expect(result).toBeLessThanOrEqual(slow[i]?.result ?? 0));
      }),
      RUNS,
    );
  });

  it('fewer instructions', () =>
    everywhere((steps, target) => {
      const half = steps.slice(0, Math.ceil(steps.length / 2));
      expect(time(half, target).report.cycles).toBeLessThanOrEqual(time(steps, target).report.cycles);
    }));
});

describe('a repeated instruction', () => {
  const OUT = 0;
  const IN = 1 << 16;
  const SECOND = 1 << 17;

  /** Rows of `size` elements, side by side or all in one place. */
  const shape = fc.record({
    size: fc.integer({ min: 1, max: 100 }),
    rows: fc.integer({ min: 1, max: 20 }),
    offset: fc.integer({ min: 0, max: 3 }),
    gap: fc.integer({ min: 0, max: 3 }),
    still: fc.boolean(),
    type: fc.constantFrom(...typeCodes('VAV')),
  });

  it('keeps the vector unit as long as the single instructions that it stands for', () => {
    fc.assert(
      fc.property(shape, fc.boolean(), arbitraryTarget, ({ size, rows, offset, gap, still, type }, sums, target) => {
        const stride = size * bytesOf(type) + 64 * gap;
        const outStride = still ? 0 : stride;
        const a = sums ? OUT : IN;
        const fields = { out: 1, size: 2, a: 3, b: 4, type };
        const registers = registersWith({
          1: OUT,
          2: size,
          3: a,
          4: SECOND + 64 * offset,
          5: rows,
          6: outStride,
          7: sums ? outStride : stride,
          8: stride,
        });
        const whole = makeInstruction('VAV', { ...fields, rep: 1, count: 5, ostride: 6, astride: 7, bstride: 8 });
        const single = makeInstruction('VAV', fields);
        const singles = Array.from({ length: rows }, (_, row) => {
          const advanced = registers.slice();
          for (const [address, step] of [
            [1, 6],
            [3, 7],
            [4, 8],
          ] as const)
            advanced[address] = (registers[address] ?? 0) + row * (registers[step] ?? 0);
          return stepOf(row, single, advanced);
        });
        const plenty = varied(target, { issue: { width: 2, memoryQueue: 32, issueQueue: 24 } });
        expect(time([stepOf(0, whole, registers)], plenty).report.cycles).toBe(time(singles, plenty).report.cycles);
      }),
      RUNS,
    );
  });

  it('keeps the matrix unit as long as the single products that it stands for', () => {
    fc.assert(
      fc.property(shape, fc.integer({ min: 1, max: 100 }), arbitraryTarget, ({ size, rows, offset, gap, type }, inputs, target) => {
        const element = elementOf({ fields: { type } });
        const outStride = size * ELEMENT_CODES[ELEMENT_CODES[element].accumulator].bytes + 64 * gap;
        const inStride = inputs * bytesOf(type);
        const fields = { out: 1, out_size: 2, matrix: 3, in: 4, in_size: 5, type, acc: element === 'fx16' ? 0 : 1 };
        const registers = registersWith({ 1: OUT, 2: size, 4: IN + 64 * offset, 5: inputs, 6: rows, 7: outStride, 8: inStride });
        const whole = makeInstruction('VMM', { ...fields, rep: 1, count: 6, ostride: 7, istride: 8 });
        const single = makeInstruction('VMM', fields);
        const singles = Array.from({ length: rows }, (_, row) => {
          const advanced = registers.slice();
          advanced[1] = OUT + row * outStride;
          advanced[4] = IN + 64 * offset + row * inStride;
          return stepOf(row, single, advanced);
        });
        const plenty = varied(target, { issue: { width: 2, memoryQueue: 32, issueQueue: 24 } });
        const repeated = time([stepOf(0, whole, registers)], plenty).report;
        const apart = time(singles, plenty).report;
        expect(repeated.cycles).toBe(apart.cycles);
        expect(repeated.activity.bytes).toStrictEqual(apart.activity.bytes);
        expect(repeated.activity.operations).toStrictEqual(apart.activity.operations);
      }),
      RUNS,
    );
  });
});

/** Lanes for a cycle that the multiply-accumulates of a unit need at least: 8-bit types share one. */
function lanesOfMacs(steps: readonly Step[], unit: 'vector' | 'matrix'): number {
  return sum(
    steps.map((step) => {
      const { unit: at, macs } = recordOf(step.instruction.mnemonic);
      const isByte = step.accesses[1]?.elementBytes === 1;
      return macs && at === unit ? time([step], cambricon).report.activity.macs * (isByte ? 0.5 : 1) : 0;
    }),
  );
}
