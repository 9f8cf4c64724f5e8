/** The text of the tiled IR. `parseTiled(printTiled(p))` is `p`. */
import { formOf } from '../../isa/instruction.ts';
import { printSuffixes } from '../../isa/syntax.ts';
import { contentHash } from '../ir/content-hash.ts';
import { printName } from '../ir/names.ts';
import type { Expr } from './expr.ts';
import { isConstant, printExpr } from './expr.ts';
import type { Buffer, Operand, Section, Statement, TiledPort, TiledProgram, TileOp } from './tiled.ts';
import { fieldOf, operandNames } from './tiled.ts';

/** The program as text; contents of constants by hash, to be kept in a side file. */
export function printTiled(program: TiledProgram): { text: string; constants: ReadonlyMap<string, Uint8Array> } {
  const constants = new Map<string, Uint8Array>();
  const lines = [`tiled @${program.name} target(${program.target}) {`];
  for (const buffer of program.buffers) {
    const bytes = program.constants.get(buffer.name);
    if (bytes) constants.set(contentHash(bytes), bytes);
    lines.push(`  buffer ${printBuffer(buffer)}${bytes ? ` dense#${contentHash(bytes)}` : ''}`);
  }
  for (const port of program.inputs) lines.push(`  input ${printPort(port)}`);
  for (const port of program.outputs) lines.push(`  output ${printPort(port)}`);
  for (const section of program.sections) lines.push(...printSection(section));
  lines.push('}', '');
  return { text: lines.join('\n'), constants };
}

function printBuffer({ name, space, role, bytes, slots, banks }: Buffer): string {
  return `${printSymbol(name)} ${space} ${role} ${bytes}${slots === 2 ? ' x 2' : ''}${banks === 'any' ? '' : ` ${banks}`}`;
}

/** Buffers and sections are called as values are, local buffers with a dot in front. */
function printSymbol(name: string): string {
  return `@${printName(name, (each) => /^[\w.\-/]+$/.test(each))}`;
}

function printPort({ name, shape, element, stored, via, layout, buffer }: TiledPort): string {
  const passed = via.length > 0 ? ` via [${via.join(', ')}]` : '';
  return `${JSON.stringify(name)} ${element}[${shape.join(',')}] at ${printSymbol(buffer)} stored ${stored} layout [${layout.join(',')}]${passed}`;
}

function printSection({ node, origin, locals, body }: Section): readonly string[] {
  return [
    `  section ${printSymbol(node)} from [${origin.map((name) => JSON.stringify(name)).join(', ')}] {`,
    ...locals.map((buffer) => `    buffer ${printBuffer(buffer)}`),
    ...printStatements(body, '    '),
    '  }',
  ];
}

function printStatements(statements: readonly Statement[], indent: string): readonly string[] {
  return statements.flatMap((statement) => {
    if (statement.kind === 'op') return [`${indent}${printTileOp(statement)}`];
    const head = `${indent}for %${statement.variable} in 0 .. ${printExpr(statement.extent)}`;
    const body = printStatements(statement.body, `${indent}  `);
    const part = (name: string, ops: readonly TileOp[]): readonly string[] =>
      ops.length === 0 ? [] : [`${indent}  ${name} {`, ...printStatements(ops, `${indent}    `), `${indent}  }`];
    return [`${head} {`, ...part('prefetch', statement.prefetch), ...body, ...part('drain', statement.drain), `${indent}}`];
  });
}

/** `VMM.f32.acc out=@.acc[0], …`: operands by name, in assembly order; immediates with `#`. */
export function printTileOp(op: TileOp): string {
  const suffixes = printSuffixes(formOf(op.mnemonic, op.form), op.modifiers);
  const operands = operandNames(op).flatMap((name) => {
    const operand = op.operands[name];
    return operand ? [`${name}=${fieldOf(op, name).kind === 'immediate' ? '#' : ''}${printOperand(operand)}`] : [];
  });
  return `${op.mnemonic}${suffixes} ${operands.join(', ')}`;
}

function printOperand(operand: Operand): string {
  if (operand.kind === 'value') return printExpr(operand.value);
  const slot = isZero(operand.slot) ? '' : `${printExpr(operand.slot)}; `;
  return `${printSymbol(operand.buffer)}[${slot}${printExpr(operand.offset)}]`;
}

function isZero(e: Expr): boolean {
  return isConstant(e) && e.constant === 0;
}
