/** Everything that can trap, decided before anything is written: conditions of single instructions, then their memory accesses. */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import type { Space } from '../../isa/fields.ts';
import { ELEMENT_CODES } from '../../isa/fields.ts';
import type { AnyInstruction, Instruction, Mnemonic } from '../../isa/table.ts';
import { GREATEST_FIXED_SHIFT, GREATEST_SHIFT, LEAST_SHIFT } from '../numerics/requantize.ts';
import type { Memory } from './memory.ts';
import { coincide, firstMissing, partlyOverlapsItself, rowsMeet } from './ranges.ts';
import { branchTaken } from './semantics/scalar.ts';
import type { ScalarState } from './semantics/types.ts';
import { scalarOperand } from './semantics/types.ts';
import type { TrapReason } from './trap.ts';

type Condition<K extends Mnemonic> = (state: ScalarState, instruction: Instruction<K>, instructionCount: number) => TrapReason | undefined;

const destination: Condition<'JUMP' | 'CB'> = (state, { form, fields }, instructionCount) => {
  const target = state.pc + scalarOperand(state, form, fields.target);
  return target >= 0 && target <= instructionCount
    ? undefined
    : { code: 'bad-branch', detail: `the branch goes to instruction ${target}, and the program has ${instructionCount}` };
};

const divisor: Condition<'SDIV'> = (state, { form, fields }) =>
  scalarOperand(state, form, fields.b) === 0 ? { code: 'divide-by-zero', detail: 'the divisor is zero' } : undefined;

const elements: Condition<'VMAX' | 'VMIN'> = (state, { fields }) =>
  state.registers[fields.size] === 0 ? { code: 'empty-reduction', detail: 'the vector has no elements' } : undefined;

/** Conversions of 8-bit sums to f32 scale by a number instead. */
const shift: Condition<'VRQ'> = ({ registers }, { fields }) => {
  const isBytes = fields.type === ELEMENT_CODES.i8.code;
  if (isBytes && fields.to === 1) return undefined;
  const [least, greatest] = isBytes ? [LEAST_SHIFT, GREATEST_SHIFT] : [0, GREATEST_FIXED_SHIFT];
  const given = (registers[fields.control] as number) & 0xff;
  return given >= least && given <= greatest
    ? undefined
    : { code: 'bad-shift', detail: `the control shifts by ${given}, which is not from ${least} to ${greatest}` };
};

const CONDITIONS: { readonly [K in Mnemonic]?: Condition<K> } = {
  JUMP: destination,
  CB: (state, instruction, count) =>
    branchTaken(state, instruction.fields.condition) ? destination(state, instruction, count) : undefined,
  SDIV: divisor,
  VMAX: elements,
  VMIN: elements,
  VRQ: shift,
};

/** The condition of an instruction that its register values must meet, apart from its accesses, or undefined if it has none. */
export function conditionOf(
  mnemonic: Mnemonic,
): ((state: ScalarState, instruction: AnyInstruction, instructionCount: number) => TrapReason | undefined) | undefined {
  return CONDITIONS[mnemonic] as ReturnType<typeof conditionOf>;
}

/** What checks need to know of a memory. */
export type CheckedMemory = Pick<Memory, 'layout' | 'constants' | 'initialised'>;

/** Why the accesses of an instruction, resolved for the present registers, cannot be made, or undefined. */
export function checkAccesses(memory: CheckedMemory, accesses: readonly ResolvedAccess[]): TrapReason | undefined {
  for (const access of accesses) {
    if (access.rows === 0) continue;
    const reason = misaligned(access) ?? outOfRange(memory, access) ?? straddling(memory, access);
    if (reason !== undefined) return reason;
  }
  for (const access of accesses) {
    if (access.rows === 0 || access.mode === 'read') continue;
    const reason = readOnly(memory, access) ?? overlap(access, accesses);
    if (reason !== undefined) return reason;
  }
  for (const access of accesses) {
    if (access.rows === 0 || access.mode === 'write') continue;
    const missing = firstMissing(memory.initialised[access.space], access);
    if (missing !== undefined) return { code: 'uninitialised', detail: `byte ${hex(missing)} of ${describe(access)} has not been written` };
  }
  return undefined;
}

function misaligned(access: ResolvedAccess): TrapReason | undefined {
  const { elementBytes, start, strideBytes, planeStrideBytes } = access;
  // Elements have 1, 2, 4 or 8 bytes; the low bits of a sum of terms are clear if those of every term are.
  if (((start | strideBytes | planeStrideBytes) & (elementBytes - 1)) === 0) return undefined;
  const strided = (start & (elementBytes - 1)) === 0 ? ' and its strides' : '';
  return { code: 'misaligned', detail: `${describe(access)}${strided} must be aligned to ${elementBytes} bytes` };
}

function outOfRange({ layout }: CheckedMemory, access: ResolvedAccess): TrapReason | undefined {
  const size = layout.size[access.space];
  if (access.low < 0 || access.end > size)
    return {
      code: 'out-of-range',
      detail: `'${access.access.base}' at ${range(access.low, access.end)} is outside of ${SPACE_NAMES[access.space]} of ${size} bytes`,
    };
  // Rows that lie on each other are bounded by no memory; a row of 16-bit elements has one at least, so that more rows than this repeat some.
  const mostRows = layout.size.vector / 2;
  if (access.rows * access.planes > mostRows) return { code: 'out-of-range', detail: `${describe(access)} has more than ${mostRows} rows` };
  return undefined;
}

/** Constants may stand apart from the rest of DRAM, so that what is read lies in them or elsewhere. */
function straddling({ constants }: CheckedMemory, access: ResolvedAccess): TrapReason | undefined {
  const { start, bytes } = constants;
  const end = start + bytes;
  if (access.space !== 'dram' || access.mode === 'write' || bytes === 0 || access.end <= start || access.low >= end) return undefined;
  if (access.low >= start && access.end <= end) return undefined;
  return { code: 'out-of-range', detail: `${describe(access)} is partly in the constants ${range(start, end)}` };
}

function readOnly({ constants }: CheckedMemory, access: ResolvedAccess): TrapReason | undefined {
  const end = constants.start + constants.bytes;
  if (access.space !== 'dram' || constants.bytes === 0 || access.end <= constants.start || access.low >= end) return undefined;
  const segment = { start: constants.start, rowBytes: constants.bytes, rows: 1, strideBytes: 0 };
  for (let p = 0; p < access.planes; p++) {
    if (rowsMeet({ ...access, start: access.start + p * access.planeStrideBytes }, segment))
      return { code: 'read-only', detail: `${describe(access)} meets the constants ${range(constants.start, end)}` };
  }
  return undefined;
}

/** Outputs must not be seen half written: an input lies elsewhere or, where elements depend on themselves alone, exactly there. */
function overlap(output: ResolvedAccess, accesses: readonly ResolvedAccess[]): TrapReason | undefined {
  if ((output.strideBytes !== 0 || output.planes > 1) && partlyOverlapsItself(output))
    return { code: 'overlap', detail: `rows of ${describe(output)} partly overlap each other` };
  const accumulates = output.access.readWhen !== undefined;
  for (const input of accesses) {
    if (input === output || input.space !== output.space || input.rows === 0) continue;
    if (input.end <= output.low || output.end <= input.low) continue;
    if (!accumulates && coincide(output, input)) continue;
    if (rowsMeet(output, input))
      return { code: 'overlap', detail: `${describe(output)} ${accumulates ? 'overlaps' : 'partly overlaps'} ${describe(input)}` };
  }
  return undefined;
}

const SPACE_NAMES: Readonly<Record<Space, string>> = { dram: 'DRAM', vector: 'the vector scratchpad', matrix: 'the matrix scratchpad' };

const hex = (value: number): string => (value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`);
const range = (start: number, end: number): string => `[${hex(start)}, ${hex(end)})`;

/** The range of an operand and its name, as in "'out' at [0x40, 0x80) of DRAM". */
function describe({ access, low, end, space }: ResolvedAccess): string {
  return `'${access.base}' at ${range(low, end)} of ${SPACE_NAMES[space]}`;
}
