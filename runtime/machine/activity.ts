/** What a program did, as counts: instructions, operations, bytes. Timing counts it, energy prices it. */
import type { Access, ElementCode, InstructionClass, InstructionRecord, Operation } from '../../isa/fields.ts';
import type { Mnemonic } from '../../isa/table.ts';

export const OPERATIONS = ['add', 'accumulate', 'multiply', 'divide', 'transcendental', 'compare'] as const satisfies readonly Operation[];

/** Element types that operations are counted by; `word` is 32-bit integers, those of the scalar unit among them. */
export const OPERATION_TYPES = ['fx16', 'f32', 'f16', 'bf16', 'q16', 'i8', 'f8e4m3', 'f8e5m2', 'word'] as const satisfies readonly (
  ElementCode | 'word'
)[];
export type OperationType = (typeof OPERATION_TYPES)[number];

/** `cache` is the first-level cache that scalar loads and stores go through; `dram` is moved by DMA only. */
export const MEMORIES = ['dram', 'vector', 'matrix', 'cache'] as const;
export type Memory = (typeof MEMORIES)[number];

export const INSTRUCTION_CLASSES = ['control', 'transfer', 'matrix', 'vector', 'scalar'] as const satisfies readonly InstructionClass[];

export interface Traffic {
  /** Bytes read. */
  read: number;
  /** Bytes written. */
  write: number;
}

export interface Activity {
  /** Instructions executed. */
  instructions: number;
  readonly classes: Record<InstructionClass, number>;
  readonly mnemonics: Partial<Record<Mnemonic, number>>;
  readonly operations: Record<OperationType, Record<Operation, number>>;
  /** Multiply-accumulates of products and dot products; their multiplications and additions are among the operations too. */
  macs: number;
  readonly bytes: Record<Memory, Traffic>;
}

const noOperations = (): Record<Operation, number> => ({ add: 0, accumulate: 0, multiply: 0, divide: 0, transcendental: 0, compare: 0 });

export function noActivity(): Activity {
  return {
    instructions: 0,
    classes: { control: 0, transfer: 0, matrix: 0, vector: 0, scalar: 0 },
    mnemonics: {},
    operations: Object.fromEntries(OPERATION_TYPES.map((type) => [type, noOperations()])) as Activity['operations'],
    macs: 0,
    bytes: { dram: { read: 0, write: 0 }, vector: { read: 0, write: 0 }, matrix: { read: 0, write: 0 }, cache: { read: 0, write: 0 } },
  };
}

/** Adds counts to a total. */
export function addActivity(total: Activity, { instructions, classes, mnemonics, operations, macs, bytes }: Activity): void {
  total.instructions += instructions;
  total.macs += macs;
  for (const each of INSTRUCTION_CLASSES) total.classes[each] += classes[each];
  for (const [mnemonic, count] of Object.entries(mnemonics) as [Mnemonic, number][])
    total.mnemonics[mnemonic] = (total.mnemonics[mnemonic] ?? 0) + count;
  for (const type of OPERATION_TYPES) for (const operation of OPERATIONS) total.operations[type][operation] += operations[type][operation];
  for (const memory of MEMORIES) {
    total.bytes[memory].read += bytes[memory].read;
    total.bytes[memory].write += bytes[memory].write;
  }
}

/** The bytes of an instruction without accesses. */
const NOTHING: number[] = [];

/** Running counts of one static instruction; what each means is in its record. */
export class InstructionCounts {
  executions = 0;
  /** Operations of each kind that the record names. */
  elements = 0;
  /** Bytes by access of the record. A repeated product reads its matrix once a row. */
  private readonly moved: number[];
  private readonly mnemonic: Mnemonic;
  private readonly record: InstructionRecord;
  private readonly type: OperationType;
  private readonly accumulates: boolean;

  constructor(mnemonic: Mnemonic, record: InstructionRecord, type: OperationType, accumulates: boolean) {
    this.mnemonic = mnemonic;
    this.record = record;
    this.type = type;
    this.accumulates = accumulates;
    this.moved = record.accesses.length === 0 ? NOTHING : record.accesses.map(() => 0);
  }

  /** Counts executions that each move so many bytes by access and compute so many elements. */
  add(executions: number, moved: readonly number[], elements: number): void {
    this.executions += executions;
    this.elements += executions * elements;
    for (let i = 0; i < moved.length; i++) this.moved[i] = (this.moved[i] as number) + executions * (moved[i] as number);
  }

  /** Adds these counts to a total. */
  addTo(activity: Activity): void {
    const { record, executions, elements } = this;
    activity.instructions += executions;
    activity.classes[record.class] += executions;
    activity.mnemonics[this.mnemonic] = (activity.mnemonics[this.mnemonic] ?? 0) + executions;
    const operations = activity.operations[this.type];
    for (const operation in record.operations)
      operations[operation as Operation] += elements * (record.operations[operation as Operation] ?? 0);
    if (record.macs) activity.macs += elements;
    for (let i = 0; i < this.moved.length; i++) {
      const { space, mode, element, readWhen } = record.accesses[i] as Access;
      const traffic = activity.bytes[element === 'word' ? 'cache' : space];
      const bytes = this.moved[i] as number;
      // An update reads always, or under its flag.
      if (mode === 'read' || (mode === 'update' && (readWhen === undefined || this.accumulates))) traffic.read += bytes;
      if (mode !== 'read') traffic.write += bytes;
    }
  }
}
