/**
 * Hand-derived timings. Each expectation is reckoned in the comment above it, from the rules of `docs/timing.md` and the figures
 * of the target `cambricon`: 2 instructions a cycle, 3 front-end cycles, 2 branch cycles; scalar latency 1, multiply 3, divide 16,
 * memory 4; 32 lanes, vector depth 3; matrix 32 × 32, depth 12; f32 at a quarter; DMA 64 bytes a cycle, latency 100.
 *
 * F fetch, I issue, D dispatch, E end of occupancy, R results there. The first instruction has F0 I3, and D4 if it is queued.
 */
import { describe, expect, it } from 'vitest';
import type { Target } from '../../isa/target.ts';
import type { Cause } from '../../runtime/machine/causes.ts';
import { stepsOf, time, varied } from '../support/steps.ts';
import { loadTarget } from '../support/targets.ts';

const target = loadTarget('cambricon');

/** $1 to $4 hold vector addresses 1 KiB apart, in banks 0 to 3. $10 and up hold sizes. $0 is 0. */
const REGISTERS = { 1: 1024, 2: 2112, 3: 3200, 4: 4288, 10: 32, 11: 64, 12: 128, 13: 256, 14: 512 };

type Expected = Partial<Record<Cause, number>>;

interface Case {
  readonly program: string;
  readonly causes: Expected;
  readonly registers?: Readonly<Record<number, number>>;
  readonly target?: Target;
}

/** Checks all causes, those not named being 0, and that the cycles are their sum. */
function expectCycles(cycles: number, { program, causes, registers = {}, target: on = target }: Case): ReturnType<typeof time> {
  const timed = time(stepsOf(program, { ...REGISTERS, ...registers }), on);
  const spent = Object.entries(timed.report.causes).filter(([, count]) => count !== 0);
  expect(Object.fromEntries(spent)).toEqual(causes);
  expect(timed.report.cycles).toBe(cycles);
  return timed;
}

const dispatches = ({ times }: ReturnType<typeof time>): number[] => times.map(({ dispatch }) => dispatch);
const issues = ({ times }: ReturnType<typeof time>): number[] => times.map(({ issue }) => issue);

describe('scalar instructions', () => {
  it('takes the front end and one cycle for a single addition', () => {
    // F0 I3 R4.
    expectCycles(4, { program: 'SADD $20, $21, #1', causes: { issue: 3, scalar: 1 } });
  });

  it('takes no time for no instructions', () => {
    expectCycles(0, { program: '', causes: {} });
  });

  it('issues two a cycle', () => {
    // F 0 0 1 1, I 3 3 4 4, R 4 4 5 5.
    const program = 'SADD $20, $30, #1\n SADD $21, $30, #1\n SADD $22, $30, #1\n SADD $23, $30, #1';
    expect(issues(expectCycles(5, { program, causes: { issue: 4, scalar: 1 } }))).toEqual([3, 3, 4, 4]);
    // One a cycle: I 3 4 5 6, R7.
    expectCycles(7, { program, causes: { issue: 6, scalar: 1 }, target: varied(target, { issue: { width: 1 } }) });
  });

  it('waits for registers', () => {
    // I3 R6, I6 R9, I9 R12.
    const chain = 'SMUL $20, $20, #3\n SMUL $20, $20, #3\n SMUL $20, $20, #3';
    expectCycles(12, { program: chain, causes: { issue: 3, scalar: 9 } });
    // Not for a register whose result is not read: both issue at 3, the division is done at 19.
    expectCycles(19, { program: 'SDIV $20, $21, #3\n SADD $20, $22, #1', causes: { issue: 3, scalar: 16 } });
    // And the reader of $20 waits for the addition, the later writer: I 3 3, R 19 4, then F1 I4 R5.
    const { times } = time(stepsOf('SDIV $20, $21, #3\n SADD $20, $22, #1\n SADD $23, $20, #1'), target);
    expect(times.map(({ issue, result }) => [issue, result])).toEqual([
      [3, 19],
      [3, 4],
      [4, 5],
    ]);
  });

  it('loads a word through the memory queue', () => {
    // I3 D4, four cycles, R8; the addition waits: I8 R9.
    expectCycles(9, { program: 'SLOAD $20, $0, #128\n SADD $21, $20, #1', causes: { issue: 4, scalar: 5 } });
    // The store is D4 R8. The load is of the same word: I3, D5 at first, D8 after the store; R12.
    expectCycles(12, { program: 'SSTORE $20, $0, #128\n SLOAD $21, $0, #128', causes: { issue: 4, scalar: 8 } });
    // Of another word it follows a cycle later: D5 R9.
    expectCycles(9, { program: 'SSTORE $20, $0, #128\n SLOAD $21, $0, #132', causes: { issue: 5, scalar: 4 } });
  });
});

describe('branches', () => {
  it('stalls the fetch after a branch that is not taken', () => {
    // CB I3; next F 3 + 2 = 5, I8 R9.
    expectCycles(9, { program: 'CB #2, $0\n SADD $20, $0, #1', causes: { issue: 3, branch: 5, scalar: 1 } });
  });

  it('stalls it after each turn of a loop', () => {
    // SMOVE F0 I3 R4 | SADD F0 I4 (register) R5 | CB F1 I5 (register) R6
    //                | SADD F5+2=7 I10 R11      | CB F7 I11 (register) R12
    //                | SADD F11+2=13 I16 R17    | CB F13 I17 R18
    // Path: front end 3, SMOVE 1, SADD 1, branch 2+3, SADD 1, branch 2+3, SADD 1, CB 1.
    const loop = expectCycles(18, {
      program: 'SMOVE $20, #3\n L0: SADD $20, $20, #-1\n CB #L0, $20',
      causes: { issue: 3, scalar: 5, branch: 10 },
    });
    expect(issues(loop)).toEqual([3, 4, 5, 10, 11, 16, 17]);
    // Two turns: a SADD, a CB and a branch less in between, 6 cycles.
    const causes = { issue: 3, scalar: 4, branch: 5 };
    expectCycles(12, { program: 'SMOVE $20, #2\n L0: SADD $20, $20, #-1\n CB #L0, $20', causes });
  });
});

describe('transfers', () => {
  it('takes bandwidth, then latency', () => {
    // 512 · 2 = 1024 bytes = 16 cycles: I3 D4 E20 R120.
    expectCycles(120, { program: 'VLOAD $1, $14, $0, #4096', causes: { issue: 4, dramBandwidth: 16, dramLatency: 100 } });
  });

  it('hides the latency of all but the last of a stream', () => {
    // D4 E20, D20 E36 R136.
    const program = 'VLOAD $1, $14, $0, #4096\n VLOAD $2, $14, $0, #8192';
    expectCycles(136, { program, causes: { issue: 4, dramBandwidth: 32, dramLatency: 100 } });
  });

  it('rounds each row of a strided transfer up to whole cycles', () => {
    const registers = { 20: 5, 21: 10, 22: 20, 23: 256, 24: 2, 25: 8192 };
    const latency = { dramLatency: 100, issue: 4 };
    // 5 rows of 10 · 4 = 40 bytes: 5 cycles; 200 bytes in one row: 4.
    expectCycles(109, { program: 'VLOAD2.f32 $1, $21, $0, $20, $23, $23', registers, causes: { ...latency, dramBandwidth: 5 } });
    expectCycles(108, {
      program: 'VLOAD.f32 $1, $21, $0, #0',
      registers: { ...registers, 21: 50 },
      causes: { ...latency, dramBandwidth: 4 },
    });
    // 5 rows of 80 bytes: 5 · 2; two planes of them: 20.
    expectCycles(114, { program: 'VSTORE2.f32 $1, $22, $0, $20, $23, $23', registers, causes: { ...latency, dramBandwidth: 10 } });
    expectCycles(124, { program: 'VLOAD3.f32 $1, $22, $0, $20, $23, $24, $25, $25', registers, causes: { ...latency, dramBandwidth: 20 } });
  });

  it('makes what reads the data wait', () => {
    // Load D4 R120; addition of 512 elements, 16 slices: D120 E136 R139.
    expectCycles(139, {
      program: 'VLOAD $1, $14, $0, #4096\n VAS $3, $14, $1, #1',
      causes: { issue: 4, dramBandwidth: 16, dramLatency: 100, vector: 16, pipelineDepth: 3 },
    });
  });

  it('overlaps with what does not', () => {
    // Load D4 R120; addition D5 E21 R24, hidden.
    const { report } = expectCycles(120, {
      program: 'VLOAD $1, $14, $0, #4096\n VAS $4, $14, $3, #1',
      causes: { issue: 4, dramBandwidth: 16, dramLatency: 100 },
    });
    expect(report.busyCycles).toEqual({ scalar: 0, cache: 0, vector: 16, matrix: 0, dma: 16 });
  });

  it('makes a load wait for the store of the same memory', () => {
    // Store D4 E20 R120, load D120 E136 R236.
    expectCycles(236, {
      program: 'VSTORE $1, $14, $0, #4096\n VLOAD $2, $14, $0, #5000',
      causes: { issue: 4, dramBandwidth: 32, dramLatency: 200 },
    });
  });
});

describe('vector instructions', () => {
  it('run back to back when independent', () => {
    // 16 slices each: D4 E20, D20 E36, D36 E52 R55.
    const program = 'VAS $1, $14, $2, #1\n VAS $3, $14, $2, #1\n VAS $4, $14, $2, #1';
    expectCycles(55, { program, causes: { issue: 4, vector: 48, pipelineDepth: 3 } });
  });

  it('expose the pipeline when one reads what the other wrote', () => {
    // D4 E20 R23, D23 E39 R42.
    const program = 'VAS $1, $14, $2, #1\n VAS $3, $14, $1, #1';
    expectCycles(42, { program, causes: { issue: 4, vector: 32, pipelineDepth: 6 } });
  });

  it('write the same place in order without waiting', () => {
    // D4 E20, D20 E36 R39.
    const program = 'VAS $1, $14, $2, #1\n VAS $1, $14, $3, #1';
    expectCycles(39, { program, causes: { issue: 4, vector: 32, pipelineDepth: 3 } });
  });

  it('wait until what they overwrite is read, not until it has arrived', () => {
    // The store reads from D4 to E20 and is done at R120; the addition overwrites from D20 on: E36 R39.
    const program = 'VSTORE $1, $14, $0, #4096\n VAS $1, $14, $3, #1';
    const timed = expectCycles(120, { program, causes: { issue: 4, dramBandwidth: 16, dramLatency: 100 } });
    expect(dispatches(timed)).toEqual([4, 20]);
    // Without latency the store is done at E20 and the addition is last: 4 + 16 + 16 + 3.
    expectCycles(39, {
      program,
      target: varied(target, { dma: { latencyCycles: 0 } }),
      causes: { issue: 4, dramBandwidth: 16, vector: 16, pipelineDepth: 3 },
    });
  });

  it('wait for data of another unit that they overwrite', () => {
    // The load writes until R120; the addition must not be overtaken: D120 E136 R139.
    const program = 'VLOAD $1, $14, $0, #4096\n VAS $1, $14, $3, #1';
    expectCycles(139, { program, causes: { issue: 4, dramBandwidth: 16, dramLatency: 100, vector: 16, pipelineDepth: 3 } });
  });

  it('take 16 cycles a slice for exponentials and quotients', () => {
    // 33 elements are 2 slices: 32 cycles. D4 E36 R39. The quotient's operands meet in a bank, hidden by the 16 cycles.
    const registers = { 20: 33 };
    const causes = { issue: 4, vector: 32, pipelineDepth: 3 };
    expectCycles(39, { program: 'VEXP $1, $20, $2', registers, causes });
    expectCycles(39, { program: 'VDV $1, $20, $1, $1', registers, causes });
    // A quarter of the rate for f32: 128.
    expectCycles(135, { program: 'VEXP.f32 $1, $20, $2', registers, causes: { ...causes, vector: 128 } });
  });

  it('reduce to a register through a tree', () => {
    // 64 elements: 2 slices + log2(32) = 7: D4 E11 R14; the addition I14 R15.
    expectCycles(15, { program: 'VMAX $20, $11, $1\n SADD $21, $20, #1', causes: { issue: 4, vector: 7, pipelineDepth: 3, scalar: 1 } });
  });

  it('issue when the registers with their operands are ready', () => {
    // SMOVE I3 R4; VAS I4 (register), D5 (because of that wait) E21 R24.
    expectCycles(24, {
      program: 'SMOVE $20, #512\n VAS $1, $20, $2, #1',
      causes: { issue: 3, scalar: 1, registerWait: 1, vector: 16, pipelineDepth: 3 },
    });
  });

  it('pass through without doing anything when the size is 0', () => {
    // I3 D4, and that is all.
    expectCycles(4, { program: 'VAS $1, $20, $2, #1', causes: { issue: 4 } });
  });
});

describe('bank conflicts', () => {
  const at = (a: number, b: number, out: number): Readonly<Record<number, number>> => ({ 20: out, 21: a, 22: b });

  it('double the cycles when two operands start in one bank', () => {
    const program = 'VAV $20, $14, $21, $22';
    // Banks 0, 1, 2: 16 slices, D4 E20 R23.
    expectCycles(23, { program, registers: at(0, 1088, 2176), causes: { issue: 4, vector: 16, pipelineDepth: 3 } });
    // Banks 0, 0, 2: bank 0 serves 2 · 16 accesses, 16 more than there are slices.
    expectCycles(39, { program, registers: at(0, 1024, 2176), causes: { issue: 4, vector: 16, bankConflict: 16, pipelineDepth: 3 } });
    // All in bank 0: 32 more.
    expectCycles(55, { program, registers: at(0, 1024, 2048), causes: { issue: 4, vector: 16, bankConflict: 32, pipelineDepth: 3 } });
  });

  it('leave room in f32, whose slices take 4 cycles for 2 accesses', () => {
    // 256 elements: 8 slices · 4 = 32 cycles; an operand needs 1024 / 64 = 16 accesses.
    const program = 'VAV.f32 $20, $13, $21, $22';
    // Two in a bank: 32 accesses in 32 cycles. Three: 48, 16 more.
    expectCycles(39, { program, registers: at(0, 1024, 2112), causes: { issue: 4, vector: 32, pipelineDepth: 3 } });
    expectCycles(55, { program, registers: at(0, 1024, 2048), causes: { issue: 4, vector: 32, bankConflict: 16, pipelineDepth: 3 } });
  });

  it('arise in products only where a row is short', () => {
    const program = 'VMM $20, $10, $0, $21, $10';
    // 32 × 32: one cycle, one access in, one out. Same bank: one cycle more.
    expectCycles(17, { program, registers: at(0, 0, 1088), causes: { issue: 4, matrix: 1, pipelineDepth: 12 } });
    expectCycles(18, { program, registers: at(0, 0, 1024), causes: { issue: 4, matrix: 1, bankConflict: 1, pipelineDepth: 12 } });
    // 64 × 64: four cycles for two accesses in and two out.
    const square = 'VMM $20, $11, $0, $21, $11';
    expectCycles(20, { program: square, registers: at(0, 0, 1024), causes: { issue: 4, matrix: 4, pipelineDepth: 12 } });
    // f32, 32 × 32, accumulating: four cycles for two accesses in, two out and two of the accumulators.
    const accumulating = 'VMM.f32.acc $20, $10, $0, $21, $10';
    expectCycles(22, {
      program: accumulating,
      registers: at(0, 0, 1024),
      causes: { issue: 4, matrix: 4, bankConflict: 2, pipelineDepth: 12 },
    });
  });

  it('are charged row by row', () => {
    // Four rows of 32 elements, a cycle each. Banks of out 0 0 0 0, of a 1 1 1 1, of b 2 3 0 1: rows 2 and 3 take one more.
    const registers = { ...at(1088, 2176, 0), 23: 4, 24: 256, 25: 64 };
    const program = 'VAV.rep $20, $10, $21, $22, $23, $24, $24, $25';
    expectCycles(13, { program, registers, causes: { issue: 4, vector: 4, bankConflict: 2, pipelineDepth: 3 } });
  });
});

describe('products', () => {
  it('overlap with the vector unit', () => {
    // 256 inputs, 128 outputs: ceil(128 / 32) · ceil(256 / 32) = 32. D4 E36 R48; the addition D5 E21 R24.
    const program = 'VMM $2, $12, $0, $1, $13\n VAS $3, $14, $4, #1';
    const { report } = expectCycles(48, { program, causes: { issue: 4, matrix: 32, pipelineDepth: 12 } });
    expect(report.busyCycles).toEqual({ scalar: 0, cache: 0, vector: 16, matrix: 32, dma: 0 });
  });

  it('round outputs and inputs up to whole blocks and lanes', () => {
    // 33 outputs, 65 inputs: 2 · 3 = 6. R22.
    expectCycles(22, {
      program: 'MMV $2, $20, $0, $1, $21',
      registers: { 20: 33, 21: 65 },
      causes: { issue: 4, matrix: 6, pipelineDepth: 12 },
    });
  });

  it('hide the depth of the pipeline between independent products and expose it between dependent ones', () => {
    // 64 × 64: 4 cycles. Independent: D4 E8, D8 E12 R24.
    const independent = 'VMM $2, $11, $0, $1, $11\n VMM $3, $11, $0, $1, $11';
    expectCycles(24, { program: independent, causes: { issue: 4, matrix: 8, pipelineDepth: 12 } });
    // The second reads the first's output: D4 E8 R20, D20 E24 R36.
    const dependent = 'VMM $2, $11, $0, $1, $11\n VMM $3, $11, $0, $2, $11';
    expectCycles(36, { program: dependent, causes: { issue: 4, matrix: 8, pipelineDepth: 24 } });
  });

  it('accumulate back to back', () => {
    // f32, 32 × 32: 1 · 4. D4 E8, D8 E12, D12 E16 R28. Input in bank 0, accumulators in bank 1.
    const program = 'VMM.f32 $2, $10, $0, $1, $10\n VMM.f32.acc $2, $10, $0, $1, $10\n VMM.f32.acc $2, $10, $0, $1, $10';
    expectCycles(28, { program, causes: { issue: 4, matrix: 12, pipelineDepth: 12 } });
  });

  it('accumulate on what another unit wrote only when it is there', () => {
    // VFILL of 32 f32: 4 cycles, D4 E8 R11. Product D11 E15 R27.
    const program = 'VFILL.f32 $2, $10, #0\n VMM.f32.acc $2, $10, $0, $1, $10';
    expectCycles(27, { program, causes: { issue: 4, vector: 4, matrix: 4, pipelineDepth: 15 } });
  });

  it('take four times as long in f32', () => {
    // 64 × 64: 4 · 4. D4 E20 R32.
    expectCycles(32, { program: 'VMM.f32 $2, $11, $0, $1, $11', causes: { issue: 4, matrix: 16, pipelineDepth: 12 } });
  });

  it('share their unit with elementwise matrix instructions', () => {
    // 2048 elements: 2048 / 1024 = 2 cycles. D4 E6; outer product of 64 × 64 = 4096: 4 cycles, D6 E10 R22.
    const program = 'MAM $20, $21, $22, $22\n OP $23, $1, $11, $2, $11';
    expectCycles(22, { program, registers: { 20: 8192, 21: 2048, 22: 0, 23: 65536 }, causes: { issue: 4, matrix: 6, pipelineDepth: 12 } });
  });
});

describe('element types of extensions', () => {
  it('take one cycle a slice in 16 bits, and share lanes in 8', () => {
    // 512 elements: 16 slices, D4 E20 R23; two to a lane, 8 slices, D4 E12 R15.
    expectCycles(23, { program: 'VAV.f16 $1, $14, $2, $3', causes: { issue: 4, vector: 16, pipelineDepth: 3 } });
    expectCycles(15, { program: 'VGTM.i8 $1, $14, $2, $3', causes: { issue: 4, vector: 8, pipelineDepth: 3 } });
    // 65 are two slices, not one and a half.
    expectCycles(9, { program: 'VGTM.i8 $1, $20, $2, $3', registers: { 20: 65 }, causes: { issue: 4, vector: 2, pipelineDepth: 3 } });
  });

  it('halve products of 8 bits', () => {
    // 64 outputs of 64 inputs: 2 · 1 cycles, in 16 bits 2 · 2. Accumulators of 4 bytes are 256 bytes, or 4 accesses.
    expectCycles(20, { program: 'VMM.i8 $1, $11, $0, $2, $11', causes: { issue: 4, matrix: 2, bankConflict: 2, pipelineDepth: 12 } });
    expectCycles(20, { program: 'VMM.f16 $1, $11, $0, $2, $11', causes: { issue: 4, matrix: 4, pipelineDepth: 12 } });
  });

  it('take a slice for each tap of columns, and accumulate back to back', () => {
    // Four rows of 9 taps of 32 channels: 4 · 9 cycles each; the second continues the accumulators of the first.
    const program = 'VCMM.f16.rep $1, $10, $3, $2, $20, $21, $13, $0\n VCMM.f16.acc.rep $1, $10, $3, $2, $20, $21, $13, $0';
    expectCycles(79, { program, registers: { 20: 9, 21: 4 }, causes: { issue: 4, vector: 72, pipelineDepth: 3 } });
  });

  it('end accumulators at the rate of elements, held up by what is read of them', () => {
    // Three rows of 64 sums in i32 take a cycle each, and 4 accesses of 256 bytes each time in bank 1, where the elements are written in the second
    // row: 4 + 5 + 4 cycles. The parameters are read once.
    const program = 'VRQ.i8.element.rep $1, $11, $2, $3, $20, $21, $0';
    expectCycles(20, { program, registers: { 20: 3, 21: 8 }, causes: { issue: 4, vector: 3, bankConflict: 10, pipelineDepth: 3 } });
  });
});

describe('queues', () => {
  it('dispatch in order: what is behind a waiting instruction waits too', () => {
    // Load D4 R120, addition D120; the product, though free to go, D121 E125 R137. Addition: E136 R139.
    const program = 'VLOAD $1, $14, $0, #4096\n VAS $2, $14, $1, #1\n VMM $4, $11, $0, $3, $11';
    const timed = expectCycles(139, {
      program,
      causes: { issue: 4, dramBandwidth: 16, dramLatency: 100, vector: 16, pipelineDepth: 3 },
    });
    expect(dispatches(timed)).toEqual([4, 120, 121]);
  });

  it('hold the issue when the memory queue is full', () => {
    // One entry. VAS I3 D4 E20 | VAS I4 D20 E36 | VAS waits for the entry: I20, D36 E52 R55 | SDIV I20 R36 | I36 R52 | I52 R68.
    const program = `
      VAS $1, $14, $2, #1
      VAS $3, $14, $2, #1
      VAS $4, $14, $2, #1
      SDIV $20, $20, #3
      SDIV $20, $20, #3
      SDIV $20, $20, #3`;
    const timed = expectCycles(68, {
      program,
      target: varied(target, { issue: { memoryQueue: 1 } }),
      causes: { issue: 4, vector: 16, scalar: 48 },
    });
    expect(issues(timed)).toEqual([3, 4, 20, 20, 36, 52]);
    // With 32 entries the divisions start at I4: R20, R36, R52; the additions end at 55.
    expectCycles(55, { program, causes: { issue: 4, vector: 48, pipelineDepth: 3 } });
  });

  it('hold the fetch when the issue queue is full', () => {
    // Two entries. F0 F0 I3 I3; the next two enter when those leave: F3 F3 I6 I6 R7.
    const program = 'SADD $20, $30, #1\n SADD $21, $30, #1\n SADD $22, $30, #1\n SADD $23, $30, #1';
    const timed = expectCycles(7, {
      program,
      target: varied(target, { issue: { issueQueue: 2 } }),
      causes: { issue: 3, queueFull: 3, scalar: 1 },
    });
    expect(timed.times.map(({ fetch }) => fetch)).toEqual([0, 0, 3, 3]);
  });
});

describe('repeated instructions', () => {
  it('take the cycles of the single ones', () => {
    // f32, 64 elements: 2 slices · 4 = 8. Singles D4 D12 D20 D28 E36 R39; repeated D4, 4 · 8, E36 R39.
    const singles = [0, 1, 2, 3].map((row) => `VAS.f32 $${30 + row}, $11, $${40 + row}, $0`).join('\n');
    const rows = { 30: 1024, 31: 1280, 32: 1536, 33: 1792, 40: 4160, 41: 4416, 42: 4672, 43: 4928 };
    const causes = { issue: 4, vector: 32, pipelineDepth: 3 };
    expectCycles(39, { program: singles, registers: rows, causes });
    const repeated = 'VAS.f32.rep $30, $11, $40, $0, $20, $21, $21';
    expectCycles(39, { program: repeated, registers: { ...rows, 20: 4, 21: 256 }, causes });
  });

  it('save the issue of a loop', () => {
    // One row a turn. VAS F0 I3 | SADD F0 I3 R4 | CB F1 I4; next turn F4+2=6: VAS I9 | SADD I9 R10 | CB I10; F12: VAS I15.
    // VAS D4, D10, D16 E17 R20. Path: I3 I4 by issue (3 + 1), F6 I9 by the branch (2 + 3), I10 by issue (1), F12 I15 by the
    // branch (2 + 3), D16 because of it (1), then the slice and the pipeline.
    const loop = 'L0: VAS $1, $10, $2, #1\n SADD $20, $20, #-1\n CB #L0, $20';
    const looped = expectCycles(20, { program: loop, registers: { 20: 3 }, causes: { issue: 5, branch: 11, vector: 1, pipelineDepth: 3 } });
    expect(dispatches(looped).filter((_, i) => i % 3 === 0)).toEqual([4, 10, 16]);
    // Three rows of one cycle: D4 E7 R10.
    const repeated = 'VAS.rep $1, $10, $2, $0, $20, $21, $21';
    const registers = { 20: 3, 21: 256 };
    const { report } = expectCycles(10, { program: repeated, registers, causes: { issue: 4, vector: 3, pipelineDepth: 3 } });
    expect(report.activity.instructions).toBe(1);
  });

  it('wait row by row for a sum that stays in place', () => {
    // sum += row, four times. Singles: sum in bank 0 twice, row in bank 1: 2 accesses, 1 cycle + 1 conflict.
    // D4 E6 R9, D9 E11 R14, D14 E16 R19, D19 E21 R24.
    const singles = [0, 1, 2, 3].map((row) => `VAV $1, $10, $1, $${40 + row}`).join('\n');
    const rows = { 40: 4160, 41: 4416, 42: 4672, 43: 4928 };
    const causes = { issue: 4, vector: 4, bankConflict: 4, pipelineDepth: 12 };
    expectCycles(24, { program: singles, registers: rows, causes });
    // Repeated: 4 + 4 + 3 waits of 3: D4 E21 R24.
    const repeated = 'VAV.rep $1, $10, $1, $40, $20, $0, $0, $21';
    expectCycles(24, { program: repeated, registers: { ...rows, 20: 4, 21: 256 }, causes });
  });

  it('multiply products by their rows', () => {
    // f32, 32 × 64, 5 rows: 5 · 1 · 2 · 4 = 40. D4 E44 R56.
    expectCycles(56, {
      program: 'VMM.f32.rep $2, $10, $0, $1, $11, $20, $21, $22',
      registers: { 1: 0, 2: 16448, 20: 5, 21: 128, 22: 256 },
      causes: { issue: 4, matrix: 40, pipelineDepth: 12 },
    });
  });
});
