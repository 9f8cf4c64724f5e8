/**
 * The tiled IR: what stands between the graph and the instructions. A program is a list of sections, one per graph op; a section is
 * nested loops around machine instructions whose operands are still symbolic: places in named buffers and index expressions in the
 * loop variables. So an instruction is declared once, in the instruction table, and printer, parser, verifier, interpreter and emission of
 * tile ops all derive from that record.
 */
import type { FormName, Mnemonic } from '../../isa/table.ts';
import { recordOf } from '../../isa/table.ts';
import { formOf } from '../../isa/instruction.ts';
import { operandsOf } from '../../isa/syntax.ts';
import type { Field, Space } from '../../isa/fields.ts';
import type { Port } from '../../isa/program.ts';
import type { Expr } from './expr.ts';

/** constant: read-only data of the program · input, output: the program's ports · activation: DRAM between sections · local: a scratchpad. */
export type BufferRole = 'constant' | 'input' | 'output' | 'activation' | 'local';

export interface Buffer {
  readonly name: string;
  readonly space: Space;
  readonly role: BufferRole;
  /** Bytes of one slot. */
  readonly bytes: number;
  /** 1, or 2 where the next tile's loads overlap this tile's computation. */
  readonly slots: 1 | 2;
  /**
   * Which banks of a scratchpad its slots start in: operands advance through the banks in step, so those whose rows are whole pairs of banks never
   * meet where one starts in an even and one in an odd bank.
   */
  readonly banks: 'even' | 'odd' | 'any';
}

/** A place in a buffer: which slot, and how many bytes into it. */
export interface Place {
  readonly kind: 'place';
  readonly buffer: string;
  readonly slot: Expr;
  readonly offset: Expr;
}

/** A number that a register or an immediate holds. */
export interface Value {
  readonly kind: 'value';
  readonly value: Expr;
}

export type Operand = Place | Value;

/** One instruction with symbolic operands. Modifiers (type, flags, enum choices) are numbers, as in a decoded instruction. */
export interface TileOp {
  readonly kind: 'op';
  readonly mnemonic: Mnemonic;
  readonly form: FormName;
  readonly modifiers: Readonly<Record<string, number>>;
  /** Address fields are places, all others values. */
  readonly operands: Readonly<Record<string, Operand>>;
}

/**
 * `for variable in 0 .. extent`: prefetch, body, drain. The operations of `prefetch` load what `body` of the same iteration uses; scheduling
 * moves them one iteration ahead where there are two slots, else they stay in front of the body. Those of `drain` finish what `body`
 * computed; scheduling moves them one iteration back, so the next body must not touch what they do.
 */
export interface Loop {
  readonly kind: 'for';
  readonly variable: string;
  /** At least 1 in every iteration of the loops around. */
  readonly extent: Expr;
  readonly prefetch: readonly TileOp[];
  readonly body: readonly Statement[];
  readonly drain: readonly TileOp[];
}

export type Statement = TileOp | Loop;

/** The code of one graph op. */
export interface Section {
  /** Name of the graph op. */
  readonly node: string;
  /** Names of the source model's nodes. */
  readonly origin: readonly string[];
  /** Scratchpad buffers, live during this section only. */
  readonly locals: readonly Buffer[];
  readonly body: readonly Statement[];
}

export interface TiledProgram {
  readonly name: string;
  readonly target: string;
  /** DRAM buffers. */
  readonly buffers: readonly Buffer[];
  /** Contents of the constant buffers. */
  readonly constants: ReadonlyMap<string, Uint8Array>;
  /** Ports without an address: `buffer` names where they live. */
  readonly inputs: readonly TiledPort[];
  readonly outputs: readonly TiledPort[];
  readonly sections: readonly Section[];
}

export type TiledPort = Omit<Port, 'address' | 'bytes'> & { readonly buffer: string };

/** The bit field that an operand fills. */
export function fieldOf(op: TileOp, name: string): Field {
  const field = formOf(op.mnemonic, op.form).fields[name];
  if (!field) throw new Error(`${op.mnemonic} has no field ${name}`);
  return field;
}

/**
 * Names of the operand fields that a tile op must fill, in assembly order: `when` fields only where they apply, and no address
 * immediates, because a place has its own offset.
 */
export function operandNames(op: Pick<TileOp, 'mnemonic' | 'form' | 'modifiers'>): readonly string[] {
  return operandsOf(formOf(op.mnemonic, op.form), op.modifiers).flatMap(([name, field]) =>
    field.kind === 'immediate' && field.role === 'address' ? [] : [name],
  );
}

/** The memory space that an address operand points into. */
export function spaceOf(op: Pick<TileOp, 'mnemonic'>, name: string): Space | undefined {
  return recordOf(op.mnemonic).accesses.find((access) => access.base === name)?.space;
}

/** Whether a field holds an address, which the tiled IR writes as a place. `offset` immediates are folded into the place. */
export function isAddress(op: Pick<TileOp, 'mnemonic'>, name: string): boolean {
  return spaceOf(op, name) !== undefined;
}

export function localBuffers(section: Section): ReadonlyMap<string, Buffer> {
  return new Map(section.locals.map((buffer) => [buffer.name, buffer]));
}

/** What one iteration of a loop does, in order. */
export function iteration({ prefetch, body, drain }: Loop): readonly Statement[] {
  return [...prefetch, ...body, ...drain];
}

/** Every tile op of a list of statements, in program order, with the loops around it, outermost first. */
export function* tileOps(statements: readonly Statement[], loops: readonly Loop[] = []): Generator<{ op: TileOp; loops: readonly Loop[] }> {
  for (const statement of statements) {
    if (statement.kind === 'op') yield { op: statement, loops };
    else {
      yield* tileOps(iteration(statement), [...loops, statement]);
    }
  }
}

/** Each expression of a statement list replaced by `change` of it; loop structure stays. */
export function mapExprs(statements: readonly Statement[], change: (e: Expr) => Expr): readonly Statement[] {
  return statements.map((statement) =>
    statement.kind === 'for'
      ? {
          ...statement,
          extent: change(statement.extent),
          prefetch: statement.prefetch.map((op) => mapOperands(op, change)),
          drain: statement.drain.map((op) => mapOperands(op, change)),
          body: mapExprs(statement.body, change),
        }
      : mapOperands(statement, change),
  );
}

export function mapOperands(op: TileOp, change: (e: Expr) => Expr): TileOp {
  const mapped = (operand: Operand): Operand =>
    operand.kind === 'place'
      ? { ...operand, slot: change(operand.slot), offset: change(operand.offset) }
      : { kind: 'value', value: change(operand.value) };
  return { ...op, operands: Object.fromEntries(Object.entries(op.operands).map(([name, operand]) => [name, mapped(operand)])) };
}
