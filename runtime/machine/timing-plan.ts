/** What timing needs of a static instruction, looked up once and kept: registers, unit, latency, element rate; and its counts. */
import { ELEMENT_CODES } from '../../isa/fields.ts';
import type { Cost } from '../../isa/fields.ts';
import { registersOf } from '../../isa/instruction.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import { recordOf } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import type { OperationType } from './activity.ts';
import { InstructionCounts } from './activity.ts';
import type { Dependences, Operand } from './dependences.ts';
import { cyclesPerSlice, scalarLatency } from './costs.ts';

/** Where an instruction executes. `cache` is the port of scalar loads and stores. */
export const UNITS = ['scalar', 'cache', 'vector', 'matrix', 'dma'] as const;
export type TimedUnit = (typeof UNITS)[number];

export const NO_REGISTER = -1;

export interface Plan {
  readonly pc: number;
  readonly instruction: AnyInstruction;
  readonly cost: Cost;
  readonly unit: TimedUnit;
  /** Index of the unit in `UNITS`. */
  readonly unitIndex: number;
  readonly branches: boolean;
  /** Registers read, each once. */
  readonly sources: readonly number[];
  /** Register written, or `NO_REGISTER`. */
  readonly result: number;
  /** Cycles to the result on the scalar unit or the cache port. */
  readonly latency: number;
  /** Cycles of one slice of lanes: the rate of the element type times the cost of the operation. */
  readonly sliceCycles: number;
  /** Index of the layer that is charged. */
  readonly layer: number;
  /** By access. */
  readonly operands: readonly Operand[];
  readonly counts: InstructionCounts;
  /** Cycles in which this instruction held its unit so far. */
  busyCycles: number;
}

function unitOf({ mnemonic }: AnyInstruction): TimedUnit {
  const { unit, cost } = recordOf(mnemonic);
  return cost === 'scalar-memory' ? 'cache' : unit;
}

/** Element type that an instruction computes in: by its type code, else the 16-bit datapath; words on the scalar unit. */
function typeOf({ mnemonic, fields }: AnyInstruction): OperationType {
  if (recordOf(mnemonic).unit === 'scalar') return 'word';
  return fields['type'] === ELEMENT_CODES.f32.code ? 'f32' : 'fx16';
}

/** Registers that an instruction reads, and the one that it writes. */
function dataflowOf(instruction: AnyInstruction): { sources: number[]; result: number } {
  const sources: number[] = [];
  let result = NO_REGISTER;
  for (const { register, role } of registersOf(instruction)) {
    if (role === 'result') result = register;
    else if (!sources.includes(register)) sources.push(register);
  }
  return { sources, result };
}

export function makePlan(pc: number, instruction: AnyInstruction, target: Target, layer: number, dependences: Dependences): Plan {
  const record = recordOf(instruction.mnemonic);
  const unit = unitOf(instruction);
  const unitIndex = UNITS.indexOf(unit);
  const type = typeOf(instruction);
  return {
    pc,
    instruction,
    cost: record.cost,
    unit,
    unitIndex,
    branches: record.cost === 'control',
    ...dataflowOf(instruction),
    latency: scalarLatency(record.cost, target),
    sliceCycles: cyclesPerSlice(record.cost, target) * (type === 'word' ? 1 : target.rates[type]),
    layer,
    operands: record.accesses.map(({ space, mode }) => dependences.operand(space, mode, unitIndex)),
    counts: new InstructionCounts(instruction.mnemonic, record, type, instruction.fields['acc'] === 1),
    busyCycles: 0,
  };
}
