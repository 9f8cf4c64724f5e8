/** The host's side of a port against its meaning, element by element. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Port, StoredElement } from '../../isa/program.ts';
import { elementBytes } from '../../runtime/numerics/element.ts';
import { decoderOf, encoderOf } from '../../runtime/numerics/store.ts';
import { PortTransfer } from '../../runtime/machine/host.ts';
import { Reorder } from '../../runtime/machine/reorder.ts';
import { machineOf } from '../support/machine.ts';

const RUNS = 200;
/** Room for the largest port that is drawn. */
const SEGMENT_BYTES = 2 ** 18;
const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 });
const shapesWithLayout = shapes.chain((shape) =>
  fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length, maxLength: shape.length })),
);

const count = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** For each element in the new order its place in the old one, the plain way. */
function sources(shape: readonly number[], layout: readonly number[]): number[] {
  const strides = shape.map((_, i) => count(shape.slice(i + 1)));
  const walk = (depth: number, from: number): number[] => {
    const dimension = layout[depth];
    if (dimension === undefined) return [from];
    return Array.from({ length: shape[dimension] ?? 1 }, (_, i) => walk(depth + 1, from + i * (strides[dimension] ?? 1))).flat();
  };
  return walk(0, 0);
}

describe('another order of dimensions', () => {
  it('moves every element to its place, and back', () => {
    let moved = 0;
    fc.assert(
      fc.property(shapesWithLayout, ([shape, layout]) => {
        const from = sources(shape, layout);
        const reorder = Reorder.of(shape, layout);
        if (!reorder) {
          expect(from).toEqual([...from.keys()]);
          return;
        }
        moved++;
        const elements = Int32Array.from({ length: from.length }, (_, i) => 7 * i + 1);
        const there = new Int32Array(from.length + 3);
        reorder.apply(elements, 0, there, 3);
        expect([...there.subarray(3)]).toEqual(from.map((i) => elements[i]));
        const back = new Int32Array(from.length);
        reorder.inverse().apply(there, 3, back, 0);
        expect(back).toEqual(elements);
      }),
      { numRuns: RUNS, seed: 20_190_212 },
    );
    expect(moved / RUNS).toBeGreaterThan(0.4);
  });
});

describe('a port', () => {
  const ELEMENTS: readonly StoredElement[] = ['f32', 'f16', 'bf16', 'f8e4m3', 'f8e5m2', 'fx16.4', 'i8<0.25,-3>'];
  /** What is stored of a number that passes some types, and what the number is then. */
  const passed = (x: number, types: readonly StoredElement[]): number =>
    types.reduce((value, type) => (type === 'f32' ? value : decoderOf(type)(encoderOf(type)(value))), x);

  it('rounds and saturates to every type that data pass, in either direction', () => {
    const ports = fc.record({
      of: shapesWithLayout,
      stored: fc.constantFrom(...ELEMENTS),
      via: fc.array(fc.constantFrom(...ELEMENTS), { maxLength: 3 }),
    });
    let rounded = 0;
    fc.assert(
      fc.property(ports, ({ of: [shape, layout], stored, via }) => {
        const bytes = elementBytes(stored, count(shape));
        const port: Port = { name: 'p', shape, element: 'f32', address: 0, bytes, layout, stored, via };
        const machine = machineOf('SMOVE $1, #0', { inputs: [port], segmentBytes: SEGMENT_BYTES });
        const transfer = new PortTransfer(port);
        const data = Float32Array.from({ length: count(shape) }, (_, i) => 40 * Math.sin(1.3 * i));
        transfer.store(machine.memory, data);
        const there = [...data].map((x) => passed(x, [...via, stored]));
        if (there.some((x, i) => x !== data[i])) rounded++;
        // What is read passes the types between once more, the other way.
        expect([...transfer.load(machine.memory)]).toEqual(there.map((x) => passed(x, via)));
      }),
      { numRuns: RUNS, seed: 20_190_213 },
    );
    expect(rounded / RUNS).toBeGreaterThan(0.5);
  });
});
