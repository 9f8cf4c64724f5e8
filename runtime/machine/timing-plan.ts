/** What timing needs of a static instruction, looked up once and kept: registers, unit, latency, element rate; and its counts. */
import type { Cost } from '../../isa/fields.ts';
import { elementOf, registersOf } from '../../isa/instruction.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import { recordOf } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import { rateOf } from '../../isa/target.ts';
import type { OperationType } from './activity.ts';
import { InstructionCounts } from './activity.ts';
import type { Cause } from './causes.ts';
import { CAUSE_INDEX, CAUSE_NAMES } from './causes.ts';
import type { Dependences, Operand } from './dependences.ts';
import { CACHE_CYCLES, cyclesPerSlice, scalarLatency } from './costs.ts';
import { ShapeSet } from './shapes.ts';

/** Where an instruction executes. `cache` is the port of scalar loads and stores. */
export const UNITS = ['scalar', 'cache', 'vector', 'matrix', 'dma'] as const;
export type TimedUnit = (typeof UNITS)[number];

export const NO_REGISTER = -1;
const NO_OPERANDS: readonly Operand[] = [];

export interface Plan {
  readonly instruction: AnyInstruction;
  readonly pc: number;
  readonly cost: Cost;
  readonly unit: TimedUnit;
  /** Index of the unit in `UNITS`. */
  readonly unitIndex: number;
  readonly branches: boolean;
  /** Registers read, each once. */
  readonly sources: readonly number[];
  /** Register written, or `NO_REGISTER`. */
  readonly result: number;
  /** Cycles of the element type for each of the 16-bit datapath. */
  readonly rate: number;
  /** Cycles of one slice of lanes at rate 1: those of the operation. */
  readonly sliceCycles: number;
  /** Cycles from the end of the occupancy to the results; on the scalar unit, from the issue. */
  readonly depthCycles: number;
  /** Index of the layer that is charged. */
  readonly layer: number;
  /** Labels of what is charged to the layer: for cause 0, for the work of the unit, and for its depth. */
  readonly label: number;
  readonly workLabel: number;
  readonly depthLabel: number;
  /** By access. */
  readonly operands: readonly Operand[];
  /** The sizes in which the instruction was executed. */
  readonly shapes: ShapeSet;
  readonly counts: InstructionCounts;
  /** Cycles in which this instruction held its unit so far. */
  busyCycles: number;
}

function unitOf({ mnemonic }: AnyInstruction): TimedUnit {
  const { unit, cost } = recordOf(mnemonic);
  return cost === 'scalar-memory' ? 'cache' : unit;
}

/** Element type that the operations of an instruction are priced as; words on the scalar unit. Accumulators that are only moved have no operations. */
function typeOf(instruction: AnyInstruction): OperationType {
  const { unit, priced = elementOf(instruction) } = recordOf(instruction.mnemonic);
  return unit === 'scalar' || priced === 'i32' || priced === 'i64' ? 'word' : priced;
}

/** What the work of a unit is charged to, and its depth. */
const UNIT_CAUSES: Readonly<Record<TimedUnit, readonly [work: Cause, depth: Cause]>> = {
  scalar: ['scalar', 'scalar'],
  cache: ['scalar', 'scalar'],
  vector: ['vector', 'pipelineDepth'],
  matrix: ['matrix', 'pipelineDepth'],
  dma: ['dramBandwidth', 'dramLatency'],
};

function depthOf(unit: TimedUnit, cost: Cost, target: Target): number {
  switch (unit) {
    case 'vector':
      return target.vector.depthCycles;
    case 'matrix':
      return target.matrix.depthCycles;
    case 'dma':
      return target.dma.latencyCycles;
    case 'cache':
      return scalarLatency(cost, target) - CACHE_CYCLES;
    case 'scalar':
      return scalarLatency(cost, target);
  }
}

export function makePlan(pc: number, instruction: AnyInstruction, target: Target, layer: number, dependences: Dependences): Plan {
  const record = recordOf(instruction.mnemonic);
  const unit = unitOf(instruction);
  const unitIndex = UNITS.indexOf(unit);
  const type = typeOf(instruction);
  const label = layer * CAUSE_NAMES.length;
  const [workCause, depthCause] = UNIT_CAUSES[unit];
  const sources: number[] = [];
  let result = NO_REGISTER;
  for (const { register, role } of registersOf(instruction)) {
    if (role === 'result') result = register;
    else if (!sources.includes(register)) sources.push(register);
  }
  return {
    instruction,
    pc,
    cost: record.cost,
    unit,
    unitIndex,
    branches: record.cost === 'control',
    // A copy has no room to grow.
    sources: sources.slice(),
    result,
    rate: rateOf(target, record.rate ?? elementOf(instruction)),
    sliceCycles: cyclesPerSlice(record.cost, target),
    depthCycles: depthOf(unit, record.cost, target),
    layer,
    label,
    workLabel: label + CAUSE_INDEX[workCause],
    depthLabel: label + CAUSE_INDEX[depthCause],
    operands: unit === 'scalar' ? NO_OPERANDS : record.accesses.map(({ space, mode }) => dependences.operand(space, mode, unitIndex)),
    shapes: new ShapeSet(),
    counts: new InstructionCounts(instruction.mnemonic, record, type, instruction.fields['acc'] === 1),
    busyCycles: 0,
  };
}
