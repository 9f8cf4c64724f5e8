/**
 * `npm run bench:ports`: what the host takes to write and read a port, in nanoseconds an element, for ports of the same layout and of another, in each
 * element type; beside them the plain copy of as many bytes in the same run. Writes benchmarks/results/ports.md.
 */
import type { Port, StoredElement } from '../isa/program.ts';
import { portBytes, portElementCount } from '../isa/program.ts';
import { Memory } from '../runtime/machine/memory.ts';
import { PortTransfer } from '../runtime/machine/host.ts';
import { monotonicSeconds } from '../runtime/platform/node.ts';
import { markdownTable, publish } from './report.ts';

/** The best of this many rounds counts, each of as many transfers as take long enough to be measured. */
const ROUNDS = 30;
const ELEMENTS_A_ROUND = 2_000_000;

const NHWC = [0, 2, 3, 1];
const SHAPES: readonly (readonly [name: string, shape: readonly number[], layout: readonly number[]])[] = [
  ['image 1×3×224×224, same layout', [1, 3, 224, 224], [0, 1, 2, 3]],
  ['image 1×3×224×224, NHWC', [1, 3, 224, 224], NHWC],
  ['image 1×1×28×28, NHWC', [1, 1, 28, 28], NHWC],
  ['values 1×64×56×56, NHWC', [1, 64, 56, 56], NHWC],
  ['values 1×1024×7×7, NHWC', [1, 1024, 7, 7], NHWC],
  ['batch 16×3×32×32, NHWC', [16, 3, 32, 32], NHWC],
  ['matrix 1000×512, transposed', [1000, 512], [1, 0]],
];
const STORED: readonly StoredElement[] = ['f32', 'f16', 'bf16', 'fx16.10', 'i8<0.05,-3>'];

function nanoseconds(elements: number, work: () => void): number {
  const times = Math.ceil(ELEMENTS_A_ROUND / elements);
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = monotonicSeconds();
    for (let i = 0; i < times; i++) work();
    best = Math.min(best, monotonicSeconds() - start);
  }
  return (best / times / elements) * 1e9;
}

function row(name: string, shape: readonly number[], layout: readonly number[], stored: StoredElement): string[] {
  const draft: Port = { name, shape, element: 'f32', address: 64, bytes: 0, layout, stored, via: [] };
  const port = { ...draft, bytes: portBytes(draft) };
  const elements = portElementCount(port);
  const nothing = { start: 0, bytes: 0 };
  const dramBytes = 64 + Math.ceil(port.bytes / 64) * 64;
  const spaces = {
    size: { dram: dramBytes, vector: 0, matrix: 0 },
    base: { dram: 0, vector: dramBytes, matrix: dramBytes },
    ownBytes: dramBytes,
  };
  const memory = new Memory(spaces, nothing);
  const transfer = new PortTransfer(port);
  const data = Float32Array.from({ length: elements }, (_, i) => Math.sin(i));
  const copy = new Float32Array(elements);
  const figures = [
    nanoseconds(elements, () => transfer.store(memory, data)),
    nanoseconds(elements, () => transfer.load(memory)),
    nanoseconds(elements, () => copy.set(data)),
  ];
  return [name, stored, ...figures.map((each) => each.toFixed(2))];
}

const rows = SHAPES.flatMap(([name, shape, layout]) => STORED.map((stored) => row(name, shape, layout, stored)));
publish(
  'ports.md',
  [
    '# Ports',
    '',
    '`npm run bench:ports`. Nanoseconds an element that the host takes to write an input and to read an output, whose array is allocated and filled; the',
    'last column is a plain copy of the f32 elements between two arrays.',
    '',
    markdownTable(['port', 'stored as', 'write', 'read', 'copy'], rows),
    '',
  ].join('\n'),
);
