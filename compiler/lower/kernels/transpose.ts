/** Transposes inside of a network; those at its ends are done by the host. */
import { rowMajorStrides } from '../../ir/ops/operands.ts';
import type { TensorType } from '../../ir/types.ts';
import type { Dimension } from '../build.ts';
import { at, dimension, slotOf, tileOp, transfer, transferBox } from '../build.ts';
import { tileSizes } from '../cost.ts';
import type { Expr } from '../expr.ts';
import { ZERO, add, expr, isConstant, min, scale, subtract } from '../expr.ts';
import type { Kernel } from '../kernel.ts';
import { local, requireExtensions } from '../kernel.ts';
import type { Statement } from '../tiled.ts';

/** A dimension of a transposed value, and how far apart its elements are in the operand and in the result, in bytes. */
interface Moved {
  readonly extent: number;
  readonly from: number;
  readonly to: number;
}

/** The result's dimensions, without those of 1 and with those joined that stay together: at least three, the elements of the last side by side. */
function movedDimensions({ shape }: TensorType, perm: readonly number[], elementBytes: number): readonly Moved[] {
  const strides = rowMajorStrides(shape);
  const joined: { extent: number; from: number }[] = [];
  for (const dimension of perm) {
    const [extent, from] = [shape[dimension] ?? 1, (strides[dimension] ?? 1) * elementBytes];
    const before = joined.at(-1);
    if (extent === 1) continue;
    if (before?.from === extent * from) joined.splice(-1, 1, { extent: before.extent * extent, from });
    else joined.push({ extent, from });
  }
  if (joined.at(-1)?.from !== elementBytes) joined.push({ extent: 1, from: elementBytes });
  const ones = Array.from({ length: Math.max(0, 3 - joined.length) }, () => ({ extent: 1, from: 0 }));
  const all = [...ones, ...joined];
  const steps = rowMajorStrides(all.map(({ extent }) => extent));
  return all.map((each, i) => ({ ...each, to: (steps[i] ?? 1) * elementBytes }));
}

/** A loop, and how far a step of it goes. */
interface Step {
  readonly over: Dimension;
  readonly from: number;
  readonly to: number;
}

function along(steps: readonly Step[], side: 'from' | 'to'): Expr {
  return add(...steps.map((step) => scale(step.over.index, step[side])));
}

function nested(steps: readonly Step[], body: readonly Statement[]): readonly Statement[] {
  return steps.reduceRight((statements, { over }) => over.loop({ body: statements }), body);
}

/** Transposes by strided loads: planes of rows of what stays together, or of single elements where the last dimension moves. */
export const transpose: Kernel = (context) => {
  requireExtensions(context, 'a transpose inside the network', ['xdma']);
  const { element, elementBytes: bytes, result, target } = context;
  const x = context.operand(0);
  const all = movedDimensions(x.type, context.attributes.perm as readonly number[], bytes);
  const [rows, row] = all.slice(-2) as [Moved, Moved];

  // The outermost dimension of which one index fits twice is cut into tiles; those outside of it are loops around them.
  const capacity = Math.floor(target.memory.vectorBytes / 2) - 64;
  const cut = all.find(({ to }) => to <= capacity) ?? row;
  const size = tileSizes(cut.extent).find((count) => count * cut.to <= capacity) ?? 1;
  const depth = all.indexOf(cut);
  const tile: Step = { from: size * cut.from, to: size * cut.to, over: dimension('t', Math.ceil(cut.extent / size)) };
  const outer = all.slice(0, depth).map((moved, i): Step => ({ ...moved, over: dimension(`d${i}`, moved.extent) }));
  const count = min(size, subtract(cut.extent, scale(tile.over.index, size)));

  // Of the dimensions of a tile besides its rows, the largest becomes planes; for the others there are several loads.
  const counted = [{ ...cut, extent: size, count }, ...all.slice(depth + 1).map((moved) => ({ ...moved, count: expr(moved.extent) }))];
  const inside = counted.slice(0, -2);
  const planes = inside.toSorted((a, b) => b.extent - a.extent)[0];
  const others = inside.filter((moved) => moved !== planes);
  const loads = others.map((moved, i): Step => ({ ...moved, over: dimension(`e${i}`, moved.count) }));

  const innermost = [...outer, tile].findLast(({ over: { index } }) => !isConstant(index));
  const runsAhead = innermost && loads.length === 0;
  const buffer = local('x', 'vector', size * cut.to, runsAhead ? 2 : 1);
  const slot = slotOf(buffer, innermost?.over.index ?? ZERO);
  const into = at(buffer, along(loads, 'to'), slot);
  const from = at(x.buffer, add(x.offset, along([...outer, tile, ...loads], 'from')));
  const strides = { localStride: rows.to, dramStride: rows.from };
  const load = planes
    ? transferBox('load', element, {
        local: into,
        localRowBytes: planes.to,
        dram: from,
        pixelBytes: rows.from,
        imageRowBytes: planes.from,
        rows: planes.count,
        columns: rows.extent,
        channels: row.extent,
      })
    : transfer('load', element, {
        local: into,
        dram: from,
        ...strides,
        ...(cut === rows ? { size: row.extent, rows: count } : { size: count, rows: 1 }),
      });
  const to = at(result.buffer, add(result.offset, along([...outer, tile], 'to')));
  const store = tileOp('VSTORE', { element }, { local: at(buffer, 0, slot), base: to, size: scale(count, cut.to / bytes) });
  if (!runsAhead) return { locals: [buffer], body: nested([...outer, tile], [...nested(loads, [load]), store]) };
  const around = [...outer, tile].filter((step) => step !== innermost);
  return { locals: [buffer], body: nested(around, innermost.over.loop({ prefetch: [load], body: [store] })) };
};
