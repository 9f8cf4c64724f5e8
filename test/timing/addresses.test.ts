/** Timing by addresses alone: the same as of a run, or a refusal. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { zoo } from '../../compiler/cli/zoo.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import type { Program } from '../../isa/program.ts';
import { portElementCount } from '../../isa/program.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { runObserved, timeAddresses, timingModelOf } from '../../runtime/evaluate/throughput.ts';
import { traceAddresses } from '../../runtime/machine/addresses.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import type { AddressStep } from '../../runtime/machine/observer.ts';
import type { TimingReport } from '../../runtime/machine/timing-report.ts';
import { Trap } from '../../runtime/machine/trap.ts';
import { contents, programOf } from '../support/machine.ts';
import { loadTarget } from '../support/targets.ts';

const target = loadTarget('cambricon');

/** A machine whose inputs are numbers that grow: as words they are no addresses. */
function machineOf(program: Program): Machine {
  const machine = new Machine(program, target);
  for (const port of program.inputs) {
    const values = Array.from({ length: portElementCount(port) }, (_, i) => (i % 61) / 64);
    machine.writeInput(port.name, port.element === 'f32' ? Float32Array.from(values) : Int16Array.from(values, (value) => 64 * value));
  }
  return machine;
}

const INPUT = { name: 'x', shape: [1024], element: 'f32', address: 64, bytes: 4096, layout: [0], stored: 'f32', via: [] } as const;
/** Word 0 of DRAM is the constant 4; the input is from 64, outputs from 4160, activations from 8256. */
const programFrom = (source: string): Program => programOf(source, { constants: Uint8Array.of(4), inputs: [INPUT], maxInstructions: 2000 });

const copyOf = ({ pc, instruction, accesses }: AddressStep): AddressStep => ({
  pc,
  instruction,
  accesses: accesses.map((access) => ({ ...access })),
});

/** The steps of a run, or undefined where it traps. */
function stepsOfRun(program: Program): AddressStep[] | undefined {
  const steps: AddressStep[] = [];
  try {
    machineOf(program).run({ observers: [{ step: (step) => steps.push(copyOf(step)) }] });
  } catch (error) {
    expect(error).toBeInstanceOf(Trap);
    return undefined;
  }
  return steps;
}

/** The steps that addresses alone tell, or undefined where the engine gives up. */
function stepsOfAddresses(program: Program): AddressStep[] | undefined {
  const steps: AddressStep[] = [];
  return traceAddresses(new Machine(program, target), { step: (step) => steps.push(copyOf(step)) }) ? steps : undefined;
}

/** The report of a model that skips no turns. */
function timedOneByOne(program: Program): TimingReport {
  const timing = timingModelOf(program, target, { skip: false });
  expect(traceAddresses(new Machine(program, target), timing)).toBe(true);
  return timing.report();
}

/** The operators of qnn are not compiled. */
const NETWORKS = Object.keys(zoo().models).filter((model) => model !== 'qnn');

describe('the zoo', () => {
  it.each(NETWORKS.flatMap((model) => ['O0', 'O1'].map((passes) => [model, passes] as const)))(
    '%s at %s is timed as its run is',
    (model, passes) => {
      const { program } = compileModel(loadGraph(findModel(model), { batch: 2 }), { target, passes: parsePipeline(passes) });
      const report = timeAddresses(new Machine(program, target));
      expect(report).toStrictEqual(runObserved(machineOf(program)));
      expect(report).toStrictEqual(timedOneByOne(program));
    },
    60_000,
  );
});

/** Registers: 1 to 4 are places in the vector scratchpad, 5 and 6 sizes, 7 and 8 places in DRAM, 10 to 15 scalars, 20 and 21 counters. */
const PROLOGUE = `
  SMOVE $1, #0
  SMOVE $2, #512
  SMOVE $3, #1024
  SMOVE $4, #1536
  SMOVE $5, #16
  SMOVE $6, #64
  SMOVE $7, #64
  SMOVE $8, #8256
  SMOVE $9, #512
  VLOAD.f32 $1, $9, $7, #0
  MLOAD.f32 $1, $9, $7, #0
  VSTORE.f32 $1, $9, $8, #0
`;
const one = (values: readonly string[]) => fc.constantFrom(...values);
const place = one(['$1', '$2', '$3', '$4']);
const size = one(['$5', '$6']);
const scalar = one(['$10', '$11', '$12', '$13', '$14', '$15']);
const offset = fc.nat({ max: 12 }).map((word) => `#${4 * word}`);
const text = (parts: readonly (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((words) => words.join(''));

/** Statements whose course no data decides. */
const plain = fc.oneof(
  text([one(['SADD ', 'SSUB ', 'SMUL ', 'SGT ', 'SE ', 'SAND ']), scalar, ', ', scalar, ', ', fc.oneof(scalar, offset)]),
  text(['SDIV ', scalar, ', $5, #3']),
  text(['SMOVE ', scalar, ', ', offset]),
  text(['SNOT ', scalar, ', ', scalar]),
  text(['SSTORE ', scalar, ', $8, ', offset]),
  text([one(['VAV.f32 ', 'VMV.f32 ', 'VGTM.f32 ', 'VAV ']), place, ', ', size, ', ', place, ', ', place]),
  text([one(['VMM.f32 ', 'VMM.f32.acc ', 'MMV.f32 ']), '$1, $5, ', place, ', ', one(['$2', '$3', '$4']), ', ', size]),
  text(['VMM.f32.rep $1, $5, $1, $3, $5, $5, $6, $6']),
  text([one(['VLOAD.f32 ', 'VSTORE.f32 ', 'MLOAD.f32 ']), place, ', ', size, ', $8, ', offset]),
  text(['VAS.f32 ', place, ', ', size, ', ', place, ', ', scalar]),
  text(['VFILL.f32 ', place, ', ', size, ', ', scalar]),
);
/** Statements that put data into registers, or let registers that may hold data decide. */
const daring = fc.oneof(
  text(['SLOAD ', scalar, ', $8, ', offset]),
  text(['SLOAD ', scalar, ', ', one(['$7', '$1']), ', #0']),
  text(['VDP.f32 ', scalar, ', ', size, ', ', place, ', ', place]),
  text(['VMAX.f32 ', scalar, ', ', size, ', ', place]),
  text(['VMOVE.f32 ', place, ', ', scalar, ', ', place]),
  text(['VLOAD.f32 ', place, ', ', size, ', ', scalar, ', #64']),
  text(['SDIV ', scalar, ', $5, ', scalar]),
);

type Part = { readonly lines: readonly string[]; readonly turns: number; readonly skip: string | undefined };

/** A program of loops, some with a branch on a scalar that leaves them early. */
function programWith(statement: fc.Arbitrary<string>, skip: fc.Arbitrary<string | undefined>): fc.Arbitrary<string> {
  const part = fc.record<Part>({ lines: fc.array(statement, { minLength: 1, maxLength: 8 }), turns: fc.integer({ min: 1, max: 6 }), skip });
  return fc
    .array(part, { minLength: 1, maxLength: 4 })
    .map((parts) =>
      [
        PROLOGUE,
        ...parts.flatMap(({ lines, turns, skip: by }, i) => [
          `SMOVE $20, #${turns}`,
          `L${i}: ${lines.join('\n')}`,
          ...(by === undefined ? [] : [`CB #E${i}, ${by}`]),
          'SADD $20, $20, #-1',
          `CB #L${i}, $20`,
          `E${i}: SMOVE $21, #0`,
        ]),
      ].join('\n'),
    );
}

describe('random programs', () => {
  it('whose course no data decides are timed as their runs are', () => {
    fc.assert(
      fc.property(programWith(plain, fc.constant(undefined)), (source) => {
        const program = programFrom(source);
        expect(stepsOfAddresses(program)).toStrictEqual(stepsOfRun(program));
        const report = timeAddresses(new Machine(program, target));
        if (report === undefined) return;
        expect(report).toStrictEqual(runObserved(machineOf(program)));
        expect(report).toStrictEqual(timedOneByOne(program));
      }),
      { numRuns: 300 },
    );
  });

  it('are timed as their runs are, or refused', () => {
    let timed = 0;
    let refused = 0;
    fc.assert(
      fc.property(programWith(fc.oneof({ weight: 4, arbitrary: plain }, daring), fc.option(scalar, { nil: undefined })), (source) => {
        const program = programFrom(source);
        const steps = stepsOfAddresses(program);
        if (steps === undefined) refused++;
        else {
          timed++;
          expect(steps).toStrictEqual(stepsOfRun(program));
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
    expect(Math.min(timed, refused)).toBeGreaterThan(100);
  });
});

describe('what is known', () => {
  const SETUP = 'SMOVE $1, #0\nSMOVE $5, #4\nSMOVE $7, #64\nSMOVE $8, #8256\nVLOAD.f32 $1, $5, $7, #0\n';
  const known = (lines: string): boolean => stepsOfAddresses(programFrom(SETUP + lines)) !== undefined;
  const USE = 'VMOVE.f32 $1, $2, $1';

  it.each([
    ['a constant word', `SLOAD $2, $1, #0\n${USE}`],
    ['a scalar that was stored', `SSTORE $5, $8, #0\nSLOAD $2, $8, #0\n${USE}`],
    ['a scalar beside which a vector was stored', `SSTORE $5, $8, #0\nVSTORE.f32 $1, $5, $8, #4\nSLOAD $2, $8, #0\n${USE}`],
    ['a register that data left again', `VMAX.f32 $2, $5, $1\nSMOVE $2, #4\n${USE}`],
    ['data as a scalar operand', 'VMAX.f32 $2, $5, $1\nSADD $3, $2, #1\nVAS.f32 $1, $5, $1, $3\nSSTORE $3, $8, #0'],
    ['a jump to a register', 'SMOVE $2, #1\nJUMP $2'],
    ['a shift that is known', 'SMOVE $2, #4\nSMOVE $9, #1\nVRQ.q16.element $8, $9, $1, $1, $2, $5'],
  ])('%s', (_, lines) => {
    expect(known(lines)).toBe(true);
  });

  it.each([
    ['an element in a register', `VMAX.f32 $2, $5, $1\n${USE}`],
    ['what is computed from it', `VDP.f32 $3, $5, $1, $1\nSSUB $2, $3, $3\n${USE}`],
    ['a word of an input', `SLOAD $2, $7, #0\n${USE}`],
    ['data that was stored', `VMAX.f32 $3, $5, $1\nSSTORE $3, $8, #0\nSLOAD $2, $8, #0\n${USE}`],
    ['a scalar over which a vector was stored', `SSTORE $5, $8, #4\nVSTORE.f32 $1, $5, $8, #0\nSLOAD $2, $8, #4\n${USE}`],
    ['a scalar over which data was stored', `SSTORE $5, $8, #0\nVMAX.f32 $3, $5, $1\nSSTORE $3, $8, #0\nSLOAD $2, $8, #0\n${USE}`],
    ['a branch on data', 'VMAX.f32 $2, $5, $1\nCB #1, $2'],
    ['a jump by data', 'VMAX.f32 $2, $5, $1\nJUMP $2'],
    ['a divisor', 'VMAX.f32 $2, $5, $1\nSDIV $3, $5, $2'],
    ['a shift', 'VMAX.f32 $2, $5, $1\nSMOVE $9, #1\nVRQ.q16.element $8, $9, $1, $1, $2, $5'],
  ])('not %s', (_, lines) => {
    expect(known(lines)).toBe(false);
  });

  it.each([
    ['a trap', 'VLOAD.f32 $1, $5, $7, #-2'],
    ['a division by zero', 'SDIV $2, $1, #0'],
    ['bytes that were not written', 'SLOAD $2, $8, #0'],
    ['a store to constants', 'VSTORE.f32 $1, $5, $1, #0'],
    ['no end', 'L0: SMOVE $2, #1\nCB #L0, $2'],
  ])('nor after %s', (_, lines) => {
    expect(known(lines)).toBe(false);
  });

  it('leaves the machine as it was', () => {
    const machine = new Machine(programFrom(`${SETUP}SSTORE $5, $8, #0\nVMAX.f32 $2, $5, $1`), target);
    const before = contents(machine);
    expect(timeAddresses(machine)?.activity.instructions).toBe(7);
    expect([machine.pc, machine.executed, ...machine.registers]).toStrictEqual([0, 0, ...new Array<number>(64).fill(0)]);
    expect(Buffer.compare(contents(machine), before)).toBe(0);
    expect([...machine.memory.initialised.vector]).toEqual([]);
  });
});
