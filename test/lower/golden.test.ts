/** What lowering writes for small layers, to be read: tiled IR before and after scheduling, memory, code. */
import { describe, it } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { printMemory } from '../../compiler/lower/memory-report.ts';
import { select } from '../../compiler/lower/select.ts';
import { printTiled } from '../../compiler/lower/tiled-text.ts';
import { disassemble } from '../../isa/assembly.ts';
import { sourceOf } from '../../isa/program.ts';
import { expectGolden } from '../support/golden.ts';
import { loadTarget } from '../support/targets.ts';

const cambricon = loadTarget('cambricon');
/** So small that the layers below need several tiles. */
const small = { ...cambricon, memory: { ...cambricon.memory, vectorBytes: 2048, matrixBytes: 8192 } };

function constant(builder: GraphBuilder, name: string, shape: readonly number[]): string {
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  return builder.constant(name, { type: tensorType('f32', shape), data: Float32Array.from({ length: count }, (_, i) => i / 8) });
}

function convolution(): Graph {
  const builder = new GraphBuilder('conv');
  const x = builder.input('x', tensorType('f32', [2, 9, 9, 2]));
  const operands = [x, constant(builder, 'w', [3, 3, 2, 4]), constant(builder, 'b', [4])];
  builder.output(
    'y',
    builder.op('conv', operands, { layout: 'nhwc', pads: [1, 1, 1, 1], activation: 'relu' }, { name: 'y', origin: ['Conv_0', 'Relu_1'] }),
  );
  return builder.build('legal');
}

function product(): Graph {
  const builder = new GraphBuilder('gemm');
  const x = builder.input('x', tensorType('f32', [3, 100]));
  builder.output('y', builder.op('gemm', [x, constant(builder, 'w', [100, 40])], {}, { name: 'y', origin: ['Gemm_0'] }));
  return builder.build('legal');
}

describe('lowering, as text', () => {
  it.each([
    ['conv', convolution()],
    ['gemm', product()],
  ])('%s', (name, graph) => {
    const { tiled, memory, program } = lower(graph, small);
    const annotate = (index: number): string | undefined => {
      const entry = sourceOf(program, index);
      return entry?.first === index ? entry.tile : undefined;
    };
    const parts = {
      selected: printTiled(select(graph, small)).text,
      scheduled: printTiled(tiled).text,
      memory: printMemory(memory, tiled),
      code: disassemble(program.code, { labels: true, addresses: true, annotate }),
    };
    const text = Object.entries(parts).map(([title, part]) => `// ---- ${title}\n${part}`);
    expectGolden(`test/golden/lower/${name}.txt`, text.join('\n'));
  });
});
