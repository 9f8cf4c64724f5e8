/**
 * Scheduling, as a rewrite of the tiled IR: index expressions are simplified with the ranges of the loop variables, what does nothing is
 * dropped, the prefetch part of a loop moves one iteration ahead where its buffers have two slots, and its drain part one iteration back.
 * Issue is in order, so a load that stands before the computation of the tile before it runs behind that computation, and what
 * finishes a row runs behind the products of the next.
 */
import { expectDefined } from './expect.ts';
import type { Expr, Range, Ranges } from './expr.ts';
import {
  add,
  highOf,
  isConstant,
  max,
  min,
  positive,
  provablyAtMost,
  rangeOf,
  scale,
  simplifyExpr,
  substitute,
  subtract,
  variable,
} from './expr.ts';
import type { Buffer, Loop, Operand, Section, Statement, TiledProgram, TileOp } from './tiled.ts';
import { fieldOf, iteration, localBuffers, mapExprs, mapOperands, operandNames } from './tiled.ts';

export function schedule(program: TiledProgram): TiledProgram {
  return { ...program, sections: program.sections.map(scheduleSection) };
}

function scheduleSection(section: Section): Section {
  const locals = localBuffers(section);
  return { ...section, body: scheduleBody(section.body, new Map(), locals) };
}

function scheduleBody(statements: readonly Statement[], ranges: Ranges, locals: ReadonlyMap<string, Buffer>): readonly Statement[] {
  return statements.flatMap((statement) =>
    statement.kind === 'for' ? scheduleLoop(statement, ranges, locals) : simplifyOp(statement, ranges),
  );
}

/** The op with its expressions simplified, or nothing where it moves or computes no element. */
function simplifyOp(op: TileOp, ranges: Ranges): readonly TileOp[] {
  const simplified = mapOperands(op, (e) => simplifyExpr(e, ranges));
  return countNames(simplified).some((name) => isZero(simplified.operands[name])) ? [] : [simplified];
}

function isZero(operand: Operand | undefined): boolean {
  return operand?.kind === 'value' && isConstant(operand.value) && operand.value.constant === 0;
}

/** The operands that say how many elements and rows there are. */
function countNames(op: TileOp): readonly string[] {
  return operandNames(op).filter((name) => {
    const field = fieldOf(op, name);
    return field.kind === 'register' && (field.role === 'size' || field.role === 'count');
  });
}

function scheduleLoop(loop: Loop, ranges: Ranges, locals: ReadonlyMap<string, Buffer>): readonly Statement[] {
  const extent = simplifyExpr(loop.extent, ranges);
  const at = (statements: readonly Statement[], value: Expr | number): readonly Statement[] =>
    scheduleBody(
      mapExprs(statements, (e) => substitute(e, loop.variable, value)),
      ranges,
      locals,
    );
  if (isConstant(extent) && extent.constant === 1) return at(iteration(loop), 0);

  const last = rangeOf(extent, ranges).high - 1;
  const inside = new Map(ranges).set(loop.variable, { low: 0, high: last });
  const [ahead, behind] = [runsAhead(loop, locals), loop.drain.length > 0];
  const index = variable(loop.variable);
  // In the last iteration there is nothing left to load, and in the first nothing to finish yet.
  const once = ahead ? loop.prefetch.length : firstOnly(loop, last, ranges);
  const prefetch = ahead
    ? shift(loop, loop.prefetch, 1, subtract(extent, add(index, 1)), { low: 0, high: Math.max(0, last - 1) }, inside)
    : scheduleBody(loop.prefetch.slice(once), inside, locals);
  const drain = behind ? shift(loop, loop.drain, -1, index, { low: Math.min(1, last), high: last }, inside) : [];
  const body = scheduleBody(loop.body, inside, locals);
  return [
    ...at(loop.prefetch.slice(0, once), 0),
    { ...loop, extent, prefetch: [], body: [...prefetch, ...body, ...drain], drain: [] },
    ...(behind ? at(loop.drain, subtract(extent, 1)) : []),
  ];
}

/** How many operations at the start of an iteration do something in the first iteration only, so that they may as well stand in front of the loop. */
function firstOnly(loop: Loop, last: number, ranges: Ranges): number {
  const later = new Map(ranges).set(loop.variable, { low: Math.min(1, last), high: last });
  const index = loop.prefetch.findIndex((op) => simplifyOp(op, later).length > 0);
  return index < 0 ? loop.prefetch.length : index;
}

/** Loads may run ahead when all that they write locally has two slots. */
function runsAhead(loop: Loop, locals: ReadonlyMap<string, Buffer>): boolean {
  const places = loop.prefetch.flatMap((op) =>
    Object.values(op.operands).flatMap((operand) => (operand.kind === 'place' ? [operand.buffer] : [])),
  );
  const written = places.flatMap((name) => locals.get(name) ?? []);
  return written.length > 0 && written.every((buffer) => buffer.slots === 2);
}

/**
 * The ops of another iteration, `distance` away, put into this one. Where `remaining` is 0 there is no such iteration: then every count becomes
 * 0 and what else an op says does not matter, so its expressions are simplified for the range in which it is active.
 */
function shift(loop: Loop, ops: readonly TileOp[], distance: 1 | -1, remaining: Expr, active: Range, inside: Ranges): readonly TileOp[] {
  const ranges = new Map(inside).set(loop.variable, active);
  const other = add(variable(loop.variable), distance);
  return ops
    .flatMap((op) =>
      simplifyOp(
        mapOperands(op, (e) => substitute(e, loop.variable, other)),
        ranges,
      ),
    )
    .map((op) => mapOperands(guard(op, remaining, ranges, inside), (e) => simplifyExpr(e, inside)));
}

/** The op with its number of rows (or elements, where it has no rows) made 0 unless `remaining` is above 0, and no count below 0. */
function guard(op: TileOp, remaining: Expr, active: Ranges, inside: Ranges): TileOp {
  const names = countNames(op);
  const guarded = names.find((name) => name !== 'size') ?? names[0];
  const counts = names.map((name) => {
    const operand = expectDefined(op.operands[name], `${op.mnemonic} has ${name}`);
    if (operand.kind !== 'value') throw new Error(`${op.mnemonic} ${name} is a place`);
    const count = name === guarded ? countWhile(operand.value, remaining, active, inside) : operand.value;
    return [name, { kind: 'value', value: max(0, count) }] as const;
  });
  return { ...op, operands: { ...op.operands, ...Object.fromEntries(counts) } };
}

/** A count where `remaining` is above 0, else 0. Signs that imply that it is are 0 of themselves elsewhere. */
function countWhile(count: Expr, remaining: Expr, active: Ranges, inside: Ranges): Expr {
  const enabled = positive(remaining);
  const implied = count.terms.every(({ atom }) => atom.kind === 'positive' && provablyAtMost(atom.of, remaining, inside));
  return implied
    ? add(scale(enabled, count.constant), { constant: 0, terms: count.terms })
    : min(count, scale(enabled, highOf(count, active)));
}
