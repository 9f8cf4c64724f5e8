/** Emission: tile ops with allocated buffers to instructions, section by section. */
import type { DebugEntry, Port, Program } from '../../isa/program.ts';
import { encodeProgram } from '../../isa/codec.ts';
import { zeroFields } from '../../isa/instruction.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import { recordOf } from '../../isa/table.ts';
import { elementBytes } from '../../runtime/numerics/element.ts';
import { AddressArithmetic } from './address-arithmetic.ts';
import type { Allocation, Placement } from './allocate.ts';
import { expectDefined } from './expect.ts';
import type { Expr, Ranges } from './expr.ts';
import { add, rangeOf, scale } from './expr.ts';
import type { AllocatedCode } from './registers.ts';
import { ALLOCATABLE_REGISTERS, allocateRegisters, ZERO_REGISTER } from './registers.ts';
import type { Place, Section, Statement, TiledPort, TiledProgram, TileOp } from './tiled.ts';
import { fieldOf, iteration, operandNames } from './tiled.ts';
import { printTileOp } from './tiled-text.ts';
import type { VirtualField } from './virtual.ts';

export interface EmitOptions {
  /** Registers that allocation may use, for looking at what spilling costs. */
  readonly registers?: number;
}

export function emit(program: TiledProgram, allocation: Allocation, { registers = ALLOCATABLE_REGISTERS }: EmitOptions = {}): Program {
  const instructions: AnyInstruction[] = [];
  const debug: DebugEntry[] = [];
  let spillWords = 0;
  let maxInstructions = 0;
  program.sections.forEach((section, index) => {
    const locals = expectDefined(allocation.locals[index], 'every section is allocated');
    const code = emitSection(
      section,
      (name) => locals.get(name) ?? [expectDefined(allocation.dram.get(name), `${name} is allocated`)],
      allocation.memory.spill.start,
      registers,
    );
    debug.push(...debugEntries(section, code, instructions.length));
    instructions.push(...code.instructions.map(({ instruction }) => instruction));
    spillWords = Math.max(spillWords, code.spillWords);
    maxInstructions += code.maxExecuted;
  });
  return {
    target: program.target,
    code: encodeProgram(instructions),
    constants: constantsImage(program, allocation),
    memory: { ...allocation.memory, spill: { start: allocation.memory.spill.start, bytes: 4 * spillWords } },
    inputs: program.inputs.map((port) => placePort(port, allocation)),
    outputs: program.outputs.map((port) => placePort(port, allocation)),
    debug,
    maxInstructions: Math.max(1, maxInstructions),
  };
}

/** The placements of a buffer's slots. */
type PlacementsOf = (name: string) => readonly Placement[];

function emitSection(section: Section, placementsOf: PlacementsOf, spillAddress: number, registers: number): AllocatedCode {
  const arithmetic = new AddressArithmetic(ZERO_REGISTER);
  const visit = (statements: readonly Statement[], ranges: Ranges): void => {
    for (const statement of statements) {
      if (statement.kind === 'op') emitOp(statement, arithmetic, placementsOf);
      else {
        const { high } = rangeOf(statement.extent, ranges);
        arithmetic.loop(statement.variable, statement.extent, high, () =>
          visit(iteration(statement), new Map(ranges).set(statement.variable, { low: 0, high: high - 1 })),
        );
      }
    }
  };
  visit(section.body, new Map());
  return allocateRegisters(arithmetic.finish(), spillAddress, registers);
}

function emitOp(op: TileOp, arithmetic: AddressArithmetic, placementsOf: PlacementsOf): void {
  const record = recordOf(op.mnemonic);
  const fields: Record<string, VirtualField> = { ...zeroFields(op.mnemonic), ...op.modifiers };
  for (const name of operandNames(op)) {
    const operand = expectDefined(op.operands[name], `${op.mnemonic} has ${name}`);
    const value = operand.kind === 'place' ? addressOf(operand, placementsOf) : operand.value;
    const access = record.accesses.find((candidate) => candidate.base === name);
    if (fieldOf(op, name).kind === 'immediate') fields[name] = constantOf(value, op, name);
    else if (access?.offset !== undefined) {
      const { register, rest } = arithmetic.valueWithOffset(value);
      fields[name] = register;
      fields[access.offset] = rest | 0;
    } else fields[name] = arithmetic.valueOf(value);
  }
  arithmetic.emit({ kind: 'instruction', mnemonic: op.mnemonic, form: op.form, fields, tile: printTileOp(op) });
}

function addressOf({ buffer, slot, offset }: Place, placementsOf: PlacementsOf): Expr {
  const [first, second] = placementsOf(buffer);
  const { address } = expectDefined(first, `${buffer} is allocated`);
  return add(address, scale(slot, second ? second.address - address : 0), offset);
}

function constantOf(value: Expr, op: TileOp, name: string): number {
  if (value.terms.length > 0) throw new Error(`${op.mnemonic} ${name} is an immediate and cannot vary`);
  return value.constant | 0;
}

/** One entry for each tile op and each back edge, with the scalar instructions in front that prepare it. */
function debugEntries(section: Section, code: AllocatedCode, first: number): readonly DebugEntry[] {
  const entries: DebugEntry[] = [];
  let start = 0;
  code.instructions.forEach(({ tile }, i) => {
    if (tile === undefined) return;
    entries.push({ first: first + start, count: i + 1 - start, tile, node: section.node, origin: section.origin });
    start = i + 1;
  });
  return entries;
}

function constantsImage(program: TiledProgram, { dram, memory }: Allocation): Uint8Array {
  const image = new Uint8Array(memory.constants.bytes);
  for (const [name, bytes] of program.constants) {
    const placement = expectDefined(dram.get(name), `constant ${name} is allocated`);
    image.set(bytes, placement.address - memory.constants.start);
  }
  return image;
}

function placePort({ buffer, ...port }: TiledPort, { dram }: Allocation): Port {
  const placement = expectDefined(dram.get(buffer), `port ${port.name} is allocated`);
  const elements = port.shape.reduce((product, dimension) => product * dimension, 1);
  return { ...port, address: placement.address, bytes: elementBytes(port.stored, elements) };
}
