/** Short ways to write tile ops; every operand goes to the field of the same name in the instruction table. */
import { ELEMENT_CODES, type ElementCode } from '../../isa/fields.ts';
import type { FormName, Mnemonic } from '../../isa/table.ts';
import { formOf } from '../../isa/instruction.ts';
import type { Expr, ExprLike } from './expr.ts';
import { expr, isConstant, parity, scale, variable, ZERO } from './expr.ts';
import type { Buffer, Operand, Place, Statement, TileOp } from './tiled.ts';
import { operandNames } from './tiled.ts';

/** A place in a buffer, `offset` bytes into slot `slot`. */
export function at(buffer: Buffer, offset: ExprLike = 0, slot: ExprLike = 0): Place {
  return { kind: 'place', buffer: buffer.name, slot: expr(slot), offset: expr(offset) };
}

export interface TileOpOptions {
  readonly element: ElementCode;
  /** Element type of the result, where that is another field. */
  readonly to?: ElementCode;
  /** Flags and enum choices by name. */
  readonly modifiers?: Readonly<Record<string, number>>;
  readonly form?: FormName;
}

/** A tile op. Operands that the form does not have under the given modifiers must be left out. */
export function tileOp(
  mnemonic: Mnemonic,
  { element, to = element, modifiers = {}, form = 'register' }: TileOpOptions,
  operands: Readonly<Record<string, Place | ExprLike>>,
): TileOp {
  const { fields } = formOf(mnemonic, form);
  const all: Record<string, number> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (field.kind === 'type') all[name] = ELEMENT_CODES[name === 'type_out' ? to : element].code;
    else if (field.kind === 'flag' || field.kind === 'enum') all[name] = modifiers[name] ?? 0;
  }
  const op = { kind: 'op', mnemonic, form, modifiers: all } as const;
  const filled: Record<string, Operand> = {};
  for (const name of operandNames(op)) {
    const operand = operands[name];
    if (operand === undefined) throw new Error(`${mnemonic} needs the operand ${name}`);
    filled[name] = typeof operand === 'object' && 'kind' in operand ? operand : { kind: 'value', value: expr(operand) };
  }
  return { ...op, operands: filled };
}

/** Rows of a repeated operand: how many, and how far apart each operand's rows are in bytes. */
export interface Rows {
  readonly count: ExprLike;
  readonly strides: Readonly<Record<string, ExprLike>>;
}

/** A repeated tile op, or the plain one where there is one row. */
export function repeated(
  mnemonic: Mnemonic,
  { element, modifiers = {} }: TileOpOptions,
  operands: Readonly<Record<string, Place | ExprLike>>,
  { count, strides }: Rows,
): TileOp {
  if (isOne(count)) return tileOp(mnemonic, { element, modifiers }, operands);
  return tileOp(mnemonic, { element, modifiers: { ...modifiers, rep: 1 } }, { ...operands, count, ...strides });
}

/** Loads or stores `rows` rows of `size` elements; one row, or rows that follow each other without gaps on both sides, need no strides. */
export function transfer(
  direction: 'load' | 'store',
  element: ElementCode,
  {
    local,
    dram,
    size,
    rows,
    localStride,
    dramStride,
  }: { local: Place; dram: Place; size: ExprLike; rows: ExprLike; localStride: number; dramStride: number },
): TileOp {
  const rowElements = expr(size);
  const dense =
    isConstant(rowElements) && localStride === dramStride && localStride === rowElements.constant * ELEMENT_CODES[element].bytes;
  if (isOne(rows)) return tileOp(direction === 'load' ? 'VLOAD' : 'VSTORE', { element }, { local, base: dram, size });
  if (dense) {
    const elements = scale(rows, rowElements.constant);
    return tileOp(direction === 'load' ? 'VLOAD' : 'VSTORE', { element }, { local, base: dram, size: elements });
  }
  return tileOp(
    direction === 'load' ? 'VLOAD2' : 'VSTORE2',
    { element },
    { local, base: dram, size, rows, lstride: localStride, dstride: dramStride },
  );
}

/** A box of an NHWC image in DRAM: `rows` × `columns` pixels, of each `channels` channels, dense in the scratchpad but for the ends of rows. */
export interface ImageBox {
  readonly local: Place;
  /** Bytes from one row of the box to the next in the scratchpad. */
  readonly localRowBytes: number;
  /** The first element in DRAM. */
  readonly dram: Place;
  /** Bytes from one pixel to the next, and from one row of the image to the next, in DRAM. */
  readonly pixelBytes: number;
  readonly imageRowBytes: number;
  readonly rows: ExprLike;
  readonly columns: ExprLike;
  readonly channels: number;
}

/** Loads or stores a box of an image, by the transfer with the fewest dimensions. */
export function transferBox(
  direction: 'load' | 'store',
  element: ElementCode,
  { local, localRowBytes, dram, pixelBytes, imageRowBytes, rows, columns, channels }: ImageBox,
): TileOp {
  const channelBytes = channels * ELEMENT_CODES[element].bytes;
  if (channelBytes === pixelBytes)
    return transfer(direction, element, {
      local,
      dram,
      size: scale(columns, channels),
      rows,
      localStride: localRowBytes,
      dramStride: imageRowBytes,
    });
  const whole = expr(columns);
  if (isConstant(whole) && localRowBytes === whole.constant * channelBytes && imageRowBytes === whole.constant * pixelBytes)
    return transfer(direction, element, {
      local,
      dram,
      size: channels,
      rows: scale(rows, whole.constant),
      localStride: channelBytes,
      dramStride: pixelBytes,
    });
  return tileOp(
    direction === 'load' ? 'VLOAD3' : 'VSTORE3',
    { element },
    {
      local,
      base: dram,
      size: channels,
      rows: columns,
      dstride: pixelBytes,
      planes: rows,
      lpstride: localRowBytes,
      dpstride: imageRowBytes,
    },
  );
}

function isOne(e: ExprLike): boolean {
  const value = expr(e);
  return isConstant(value) && value.constant === 1;
}

/** A loop to be: its index for expressions, and the loop around statements. An extent of 1 leaves no loop and an index of 0. */
export interface Dimension {
  readonly index: Expr;
  loop(parts: {
    readonly prefetch?: readonly TileOp[];
    readonly body: readonly Statement[];
    readonly drain?: readonly TileOp[];
  }): readonly Statement[];
}

export function dimension(name: string, extent: ExprLike): Dimension {
  if (isOne(extent)) return { index: ZERO, loop: ({ prefetch = [], body, drain = [] }) => [...prefetch, ...body, ...drain] };
  return {
    index: variable(name),
    loop: ({ prefetch = [], body, drain = [] }) => [{ kind: 'for', variable: name, extent: expr(extent), prefetch, body, drain }],
  };
}

/** The slot of a ring buffer that an iteration uses. */
export function slotOf(buffer: Buffer, iteration: Expr): Expr {
  return buffer.slots === 2 ? parity(iteration) : ZERO;
}
