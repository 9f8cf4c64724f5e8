import { hasExtension } from '../../../isa/target.ts';
import type { Mnemonic } from '../../../isa/table.ts';
import { floatBits } from '../../../runtime/numerics/float.ts';
import { allocate } from '../../ir/tensor.ts';
import { elementCount } from '../../ir/types.ts';
import type { Buffer, Place, TileOp } from '../tiled.ts';
import { at, dimension, repeated, slotOf, tileOp, transfer } from '../build.ts';
import { min, scale, subtract } from '../expr.ts';
import type { Kernel, KernelContext } from '../kernel.ts';
import { doesNotFit, local, requireExtensions, unsupportedForm } from '../kernel.ts';
import type { Activation } from './epilogue.ts';
import { convert } from './epilogue.ts';

/** Rows of `width` elements that a tile holds, so that `buffers` buffers of two slots fit the vector scratchpad. */
function rowsPerTile(context: KernelContext, rows: number, width: number, buffers: number): number {
  const { vectorBytes } = context.target.memory;
  const rowBytes = buffers * 2 * width * context.elementBytes;
  const capacity = vectorBytes - width * context.elementBytes - 512;
  if (rowBytes > capacity) return doesNotFit(context, 'one row', rowBytes, vectorBytes);
  if (width > 1 && !hasExtension(context.target, 'xrep')) return 1;
  // At least four tiles where there is work for them, so that transfers hide behind computation.
  return Math.max(1, Math.min(Math.floor(capacity / rowBytes), Math.ceil(rows / 4)));
}

/** One operand, element by element, over the flat tensor. */
function unary(
  context: KernelContext,
  step: (out: ReturnType<typeof at>, a: ReturnType<typeof at>, size: ReturnType<typeof min>) => ReturnType<typeof tileOp>,
): ReturnType<Kernel> {
  const { element, elementBytes: bytes, result } = context;
  const total = elementCount(result.type.shape);
  const size = rowsPerTile(context, total, 1, 1);
  const tiles = Math.ceil(total / size);
  const x = local('x', 'vector', size * bytes, tiles > 1 ? 2 : 1);
  const t = dimension('t', tiles);
  const place = at(x, 0, slotOf(x, t.index));
  const count = min(size, subtract(total, scale(t.index, size)));
  const offset = scale(t.index, size * bytes);
  return {
    locals: [x],
    body: t.loop({
      prefetch: [tileOp('VLOAD', { element }, { local: place, base: at(context.operand(0).buffer, offset), size: count })],
      body: [step(place, place, count), tileOp('VSTORE', { element }, { local: place, base: at(result.buffer, offset), size: count })],
    }),
  };
}

const activationKernel =
  (activationOf: (context: KernelContext) => Activation): Kernel =>
  (context) => {
    requireExtensions(context, 'an activation', ['xcvt']);
    return unary(context, (out, a, size) => convert(context, out, a, size, activationOf(context)));
  };

export const clip: Kernel = activationKernel(({ attributes }) => ({
  name: 'clip',
  low: Number(attributes.min),
  high: Number(attributes.max),
}));

/** relu as VCVT, or without that extension as the greater of x and a vector of zeros. */
export const relu: Kernel = (context) => {
  if (hasExtension(context.target, 'xcvt')) return activationKernel(() => ({ name: 'relu', low: 0, high: 0 }))(context);
  const { element, elementBytes: bytes, result } = context;
  const total = elementCount(result.type.shape);
  const size = rowsPerTile(context, total, 1, 2);
  const zeros = context.addConstant('zeros', new Int16Array(size));
  const zero = local('zero', 'vector', size * bytes);
  const code = unary(context, (out, a, count) => tileOp('VGTM', { element }, { out, a, b: at(zero), size: count }));
  return { locals: [...code.locals, zero], body: [tileOp('VLOAD', { element }, { local: at(zero), base: at(zeros), size }), ...code.body] };
};

/** Two operands; the second has the result's shape, or is one row that serves every row of the first, or one constant number. */
export const binary =
  (mnemonic: Mnemonic): Kernel =>
  (context) => {
    const { element, elementBytes: bytes, result } = context;
    const [a, b] = [context.operand(0), context.operand(1)];
    const total = elementCount(result.type.shape);
    const width = elementCount(b.type.shape);
    if (elementCount(a.type.shape) !== total || !isSuffix(b.type.shape, result.type.shape))
      return unsupportedForm(
        context,
        `${context.node.op} of [${a.type.shape.join(',')}] and [${b.type.shape.join(',')}]`,
        'only the second operand may be broadcast, over leading dimensions',
      );
    // A row of the first operand for each of the second; single elements where they are as many, or the second is one number.
    const row = width === total ? 1 : width;
    const rows = total / row;
    const size = rowsPerTile(context, rows, row, row === 1 ? 2 : 1);
    const tiles = Math.ceil(rows / size);
    const t = dimension('t', tiles);
    const slots = tiles > 1 ? 2 : 1;
    const perTile = width === total;
    const aTile = local('a', 'vector', size * row * bytes, slots);
    const bTile = local('b', 'vector', (row === 1 ? size : row) * bytes, perTile ? slots : 1);
    const count = min(size, subtract(rows, scale(t.index, size)));
    const offset = scale(t.index, size * row * bytes);
    const aPlace = at(aTile, 0, slotOf(aTile, t.index));
    const bPlace = at(bTile, 0, slotOf(bTile, t.index));
    const move = (direction: 'load' | 'store', place: Place, dram: Buffer): TileOp =>
      transfer(direction, element, {
        local: place,
        dram: at(dram, offset),
        size: row,
        rows: count,
        localStride: row * bytes,
        dramStride: row * bytes,
      });
    const compute =
      row === 1
        ? tileOp(mnemonic, { element }, { out: aPlace, a: aPlace, b: bPlace, size: count })
        : repeated(
            mnemonic,
            { element },
            { out: aPlace, a: aPlace, b: bPlace, size: row },
            { count, strides: { ostride: row * bytes, astride: row * bytes, bstride: 0 } },
          );
    const shared = perTile
      ? []
      : width > 1
        ? [tileOp('VLOAD', { element }, { local: bPlace, base: at(b.buffer), size: width })]
        : [everywhere(context, bTile, size)];
    return {
      locals: [aTile, bTile],
      body: [
        ...shared,
        ...t.loop({
          prefetch: [move('load', aPlace, a.buffer), ...(perTile ? [move('load', bPlace, b.buffer)] : [])],
          body: [compute, move('store', aPlace, result.buffer)],
        }),
      ],
    };
  };

/** Puts the one constant number that the second operand is into all `size` elements of a tile. */
function everywhere(context: KernelContext, tile: Buffer, size: number): TileOp {
  const { element, target } = context;
  const constant = context.constantOf(1);
  if (!constant) return unsupportedForm(context, `${context.node.op} of a tensor and one computed number`);
  if (hasExtension(target, 'xfill')) {
    const value = Number(constant.data[0]);
    const scalar = element === 'f32' ? floatBits(value) | 0 : value;
    return tileOp('VFILL', { element, form: 'immediate' }, { out: at(tile), size, scalar });
  }
  const filled = allocate(constant.type.element, size).fill(constant.data[0] as never);
  return tileOp('VLOAD', { element }, { local: at(tile), base: at(context.addConstant('everywhere', filled)), size });
}

function isSuffix(shape: readonly number[], whole: readonly number[]): boolean {
  const significant = shape.slice(shape.findIndex((dimension) => dimension !== 1));
  const tail = significant.length === 0 || shape.every((dimension) => dimension === 1) ? [] : significant;
  return tail.every((dimension, i) => dimension === whole[whole.length - tail.length + i]);
}
