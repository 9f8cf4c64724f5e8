/** Verification of the tiled IR: names, spaces and bounds, with the ranges that the loop variables really take. */
import type { Access } from '../../isa/fields.ts';
import { accessElementBytes } from '../../isa/accesses.ts';
import { recordOf } from '../../isa/table.ts';
import type { Diagnostic } from '../ir/diagnostic.ts';
import type { Environment, Expr } from './expr.ts';
import { evaluateExpr, rangeOf } from './expr.ts';
import type { Buffer, Operand, Section, Statement, TiledProgram, TileOp } from './tiled.ts';
import { iteration, localBuffers, operandNames, spaceOf } from './tiled.ts';
import { printTileOp } from './tiled-text.ts';

/** Loop nests with more iterations than this are checked by ranges only, which may miss what exact enumeration would find. */
const LARGEST_ENUMERATION = 20_000;

/** Everything wrong with a tiled program; empty for what our own lowering writes. */
export function verifyTiled(program: TiledProgram): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const dram = new Map<string, Buffer>();
  for (const buffer of program.buffers) {
    if (dram.has(buffer.name)) problems.push(problem(`buffer @${buffer.name} is declared twice`, [program.name]));
    if (buffer.space !== 'dram')
      problems.push(
        problem(`buffer @${buffer.name} of the program is in the ${buffer.space} scratchpad; only sections have scratchpad buffers`, [
          program.name,
        ]),
      );
    if ((buffer.role === 'constant') !== program.constants.has(buffer.name))
      problems.push(problem(`buffer @${buffer.name} and its contents do not agree`, [program.name]));
    if (program.constants.has(buffer.name) && program.constants.get(buffer.name)?.length !== buffer.bytes)
      problems.push(problem(`constant @${buffer.name} has not ${buffer.bytes} bytes`, [program.name]));
    dram.set(buffer.name, buffer);
  }
  for (const port of [...program.inputs, ...program.outputs])
    if (!dram.has(port.buffer)) problems.push(problem(`port ${port.name} names @${port.buffer}, which does not exist`, [program.name]));
  for (const section of program.sections) problems.push(...new SectionVerifier(section, dram).run());
  return problems;
}

function problem(message: string, place: readonly string[]): Diagnostic {
  return { kind: 'invalid', code: 'tiled/invalid', message, place };
}

class SectionVerifier {
  readonly #section: Section;
  readonly #dram: ReadonlyMap<string, Buffer>;
  readonly #locals: ReadonlyMap<string, Buffer>;
  readonly #problems: Diagnostic[] = [];
  #steps = 0;

  constructor(section: Section, dram: ReadonlyMap<string, Buffer>) {
    this.#section = section;
    this.#dram = dram;
    this.#locals = localBuffers(section);
    for (const buffer of section.locals)
      if (dram.has(buffer.name) || buffer.space === 'dram')
        this.#report(`local buffer @${buffer.name} is in DRAM or hides one of the program`);
  }

  run(): readonly Diagnostic[] {
    this.#structure(this.#section.body, new Set());
    if (this.#problems.length === 0) this.#execute(this.#section.body, new Map());
    return this.#problems;
  }

  #bufferOf(name: string): Buffer | undefined {
    return this.#locals.get(name) ?? this.#dram.get(name);
  }

  #report(message: string): void {
    if (this.#problems.length < 20) this.#problems.push(problem(message, [this.#section.node]));
  }

  #structure(statements: readonly Statement[], variables: ReadonlySet<string>): void {
    for (const statement of statements) {
      if (statement.kind === 'op') this.#operands(statement, variables);
      else {
        if (variables.has(statement.variable)) this.#report(`loop variable %${statement.variable} hides another`);
        this.#bound(statement.extent, variables);
        const inside = new Set(variables).add(statement.variable);
        this.#structure(iteration(statement), inside);
      }
    }
  }

  #operands(op: TileOp, variables: ReadonlySet<string>): void {
    for (const name of operandNames(op)) {
      const operand = op.operands[name];
      if (!operand) this.#report(`${op.mnemonic} lacks ${name}`);
      else this.#operand(op, name, operand, variables);
    }
  }

  #operand(op: TileOp, name: string, operand: Operand, variables: ReadonlySet<string>): void {
    const space = spaceOf(op, name);
    if ((space !== undefined) !== (operand.kind === 'place'))
      return this.#report(`${op.mnemonic} ${name} must be ${space === undefined ? 'a value' : 'a place'}`);
    if (operand.kind === 'value') return this.#bound(operand.value, variables);
    const buffer = this.#bufferOf(operand.buffer);
    if (!buffer) return this.#report(`${op.mnemonic} ${name} names @${operand.buffer}, which does not exist`);
    if (buffer.space !== space)
      this.#report(`${op.mnemonic} ${name} needs the ${space ?? ''} space, and @${buffer.name} is in ${buffer.space}`);
    this.#bound(operand.slot, variables);
    this.#bound(operand.offset, variables);
  }

  #bound(e: Expr, variables: ReadonlySet<string>): void {
    try {
      rangeOf(e, new Map([...variables].map((name) => [name, { low: 0, high: 0 }])));
    } catch (error) {
      this.#report(error instanceof Error ? error.message : String(error));
    }
  }

  /** Walks the loops with real values and checks that every access stays in its slot. */
  #execute(statements: readonly Statement[], environment: Environment): void {
    for (const statement of statements) {
      if (this.#problems.length > 0 || this.#steps > LARGEST_ENUMERATION) return;
      if (statement.kind === 'op') {
        this.#steps++;
        for (const access of recordOf(statement.mnemonic).accesses) this.#inside(statement, access, environment);
        continue;
      }
      const extent = evaluateExpr(statement.extent, environment);
      if (extent < 1) return this.#report(`loop %${statement.variable} runs ${extent} times; a loop runs at least once`);
      for (let i = 0; i < extent; i++) {
        const inside = new Map(environment).set(statement.variable, i);
        this.#execute(iteration(statement), inside);
      }
    }
  }

  #inside(op: TileOp, access: Access, environment: Environment): void {
    const place = op.operands[access.base];
    if (place?.kind !== 'place') return;
    const buffer = this.#bufferOf(place.buffer);
    if (!buffer) return;
    const value = (name: string | undefined, absent: number): number => {
      const operand = name === undefined ? undefined : op.operands[name];
      return operand?.kind === 'value' ? evaluateExpr(operand.value, environment) : absent;
    };
    const rowBytes = access.width.reduce((product, name) => product * value(name, 1), 1) * accessElementBytes(access, op.modifiers);
    const rows = value(access.rows, 1);
    const planes = value(access.planes, 1);
    if (rowBytes < 0 || rows < 0 || planes < 0) return this.#report(`a count is negative in ${printTileOp(op)}`);
    if (rowBytes === 0 || rows === 0 || planes === 0) return;
    const stride = value(access.stride, rowBytes);
    const planeStride = value(access.planeStride, 0);
    const slot = evaluateExpr(place.slot, environment);
    const offset = evaluateExpr(place.offset, environment);
    const low = offset + Math.min(0, (rows - 1) * stride) + Math.min(0, (planes - 1) * planeStride);
    const end = offset + Math.max(0, (rows - 1) * stride) + Math.max(0, (planes - 1) * planeStride) + rowBytes;
    if (slot < 0 || slot >= buffer.slots) this.#report(`slot ${slot} of @${buffer.name} does not exist, in ${printTileOp(op)}`);
    else if (low < 0 || end > buffer.bytes)
      this.#report(`bytes ${low} to ${end} of @${buffer.name}, which has ${buffer.bytes}, in ${printTileOp(op)}`);
  }
}
