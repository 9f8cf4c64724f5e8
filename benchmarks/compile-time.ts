/**
 * `npm run bench:compile-time`: seconds from the bytes of a model to a program with the default passes, by phase, for models of many nodes and for one of
 * many weights: the first compile of a process. Writes benchmarks/results/compile-time.md; with names of models as arguments it prints theirs only.
 */
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { loadTarget } from '../compiler/cli/target.ts';
import { importOnnx } from '../compiler/frontend/import.ts';
import type { CompilePhase } from '../compiler/lower/phases.ts';
import { COMPILE_PHASES } from '../compiler/lower/phases.ts';
import { compileModel } from '../compiler/pipeline.ts';
import { instructionCount } from '../isa/program.ts';
import { parsePipeline } from '../passes/pipeline-text.ts';
import { PhaseTimes } from '../runtime/evaluate/phase-times.ts';
import { monotonicSeconds } from '../runtime/platform/node.ts';
import type { NodeSpec, TensorSpec } from '../test/support/onnx-builder.ts';
import { modelBytes, node } from '../test/support/onnx-builder.ts';
import { markdownTable, publish } from './report.ts';

/** A model of nodes of f32[1,64] from the input x to the output y. */
function chain(count: number, step: (from: string, to: string, i: number) => readonly NodeSpec[]): Uint8Array {
  const value = (i: number): string => (i === 0 ? 'x' : i === count ? 'y' : `v${i}`);
  const nodes = Array.from({ length: count }, (_, i) => step(value(i), value(i + 1), i)).flat();
  return modelBytes({ nodes, inputs: [{ name: 'x', shape: [1, 64] }], outputs: [{ name: 'y' }], initializers: [BIAS] });
}

const random = (seed: number, count: number): Float32Array => {
  let state = seed + 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
};
const BIAS: TensorSpec = { name: 'c', dims: [64], data: random(1, 64) };

/** The layers of ResNet-18 as torchvision exports it after folding its normalisation: 11.7 million weights. */
function resnet18(): Uint8Array {
  const nodes: NodeSpec[] = [];
  const initializers: TensorSpec[] = [];
  let made = 0;
  const conv = (x: string, from: number, to: number, kernel: number, stride: number): string => {
    const name = `conv${made++}`;
    initializers.push({ name: `${name}.w`, dims: [to, from, kernel, kernel], data: random(made, to * from * kernel * kernel) });
    initializers.push({ name: `${name}.b`, dims: [to], data: random(made, to) });
    const pad = (kernel - 1) / 2;
    const attributes = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] };
    nodes.push(node('Conv', `${x} ${name}.w ${name}.b`, name, attributes));
    return name;
  };
  const relu = (x: string): string => (nodes.push(node('Relu', x, `${x}.relu`)), `${x}.relu`);
  let x = relu(conv('x', 3, 64, 7, 2));
  nodes.push(node('MaxPool', x, 'pooled', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }));
  x = 'pooled';
  let from = 64;
  for (const to of [64, 128, 256, 512])
    for (const block of [0, 1]) {
      const stride = block === 0 && to > 64 ? 2 : 1;
      const inner = conv(relu(conv(x, from, to, 3, stride)), to, to, 3, 1);
      const beside = stride === 2 ? conv(x, from, to, 1, 2) : x;
      nodes.push(node('Add', `${inner} ${beside}`, `${inner}.sum`));
      x = relu(`${inner}.sum`);
      from = to;
    }
  nodes.push(node('GlobalAveragePool', x, 'mean'), node('Flatten', 'mean', 'flat'));
  initializers.push({ name: 'fc.w', dims: [1000, 512], data: random(91, 512_000) }, { name: 'fc.b', dims: [1000], data: random(92, 1000) });
  nodes.push(node('Gemm', 'flat fc.w fc.b', 'y', { transB: 1 }));
  return modelBytes({ nodes, inputs: [{ name: 'x', shape: [1, 3, 224, 224] }], outputs: [{ name: 'y' }], initializers });
}

const MODELS: Readonly<Record<string, () => Uint8Array>> = {
  '1,000 Adds': () => chain(1000, (from, to) => [node('Add', `${from} x`, to)]),
  '1,000 Adds of a constant': () => chain(1000, (from, to) => [node('Add', `${from} c`, to)]),
  'one Sum of 1,000 inputs': () =>
    modelBytes({
      nodes: [node('Sum', Array.from({ length: 1000 }, (_, i) => `x${i}`).join(' '), 'y')],
      inputs: Array.from({ length: 1000 }, (_, i) => ({ name: `x${i}`, shape: [1, 64] })),
      outputs: [{ name: 'y' }],
    }),
  '1,000 Sigmoids': () => chain(1000, (from, to) => [node('Sigmoid', from, to)]),
  '1,000 Transposes and Relus': () =>
    chain(1000, (from, to, i) => [i % 2 === 0 ? node('Transpose', from, to, { perm: [1, 0] }) : node('Relu', from, to)]),
  'one Concat of 1,000 Relus': () =>
    modelBytes({
      nodes: [
        ...Array.from({ length: 1000 }, (_, i) => node('Mul', 'x c', `v${i}`)),
        ...Array.from({ length: 1000 }, (_, i) => node('Relu', `v${i}`, `r${i}`)),
        node('Concat', Array.from({ length: 1000 }, (_, i) => `r${i}`).join(' '), 'y', { axis: 1 }),
      ],
      inputs: [{ name: 'x', shape: [1, 64] }],
      outputs: [{ name: 'y' }],
      initializers: [BIAS],
    }),
  '4,000 nodes: Adds, Relus, Muls, Sigmoids': () =>
    chain(4000, (from, to, i) => [
      i % 4 === 0
        ? node('Add', `${from} x`, to)
        : i % 4 === 1
          ? node('Relu', from, to)
          : i % 4 === 2
            ? node('Mul', `${from} c`, to)
            : node('Sigmoid', from, to),
    ]),
  'ResNet-18, 224×224, 47 MB': resnet18,
};

interface Compiled {
  readonly instructions: number;
  readonly seconds: number;
  readonly phases: Readonly<Partial<Record<CompilePhase, number>>>;
}

function measured(model: string): Compiled {
  const bytes = MODELS[model]?.() ?? new Uint8Array();
  const target = loadTarget('cambricon');
  const passes = parsePipeline('O1');
  const phases = new PhaseTimes<CompilePhase>(monotonicSeconds);
  const start = monotonicSeconds();
  const graph = phases.time('import', () => importOnnx(bytes));
  const { program } = compileModel(graph, { target, passes, observe: (phase, work) => phases.time(phase, work) });
  const seconds = monotonicSeconds() - start;
  const times = Object.fromEntries(phases.times.map(({ phase, seconds: each }) => [phase, each]));
  return { instructions: instructionCount(program), seconds, phases: times };
}

/** In a process of its own, so that nothing is compiled just in time before. */
function measuredApart(model: string): Compiled {
  const command = [...process.execArgv, fileURLToPath(import.meta.url), '--one', model];
  return JSON.parse(execFileSync(process.execPath, command, { encoding: 'utf8' })) as Compiled;
}

const SHOWN = Object.keys(COMPILE_PHASES).filter((phase): phase is Exclude<CompilePhase, 'encode'> => phase !== 'encode');

const [option, ...named] = process.argv.slice(2);
if (option === '--one') process.stdout.write(JSON.stringify(measured(named[0] ?? '')));
else {
  const models = option === undefined ? Object.keys(MODELS) : [option, ...named];
  const rows = models.map((model) => {
    const { instructions, seconds, phases } = measuredApart(model);
    process.stderr.write(`${model} done\n`);
    return [model, instructions.toLocaleString('en'), seconds.toFixed(2), ...SHOWN.map((phase) => (phases[phase] ?? 0).toFixed(2))];
  });
  const text = [
    '# Time to compile',
    '',
    'Printed by `npm run bench:compile-time`: seconds from the bytes of a model to a program for `cambricon` with the passes of O1, the first compile of a',
    'process, and the phases that they go to.',
    '',
    markdownTable(['model', 'instructions', 'seconds', ...SHOWN], rows),
    '',
  ].join('\n');
  if (option === undefined) publish('compile-time.md', text);
  else process.stdout.write(text);
}
