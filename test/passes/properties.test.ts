/** Laws that every pass keeps on random graphs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { equalGraphs } from '../../compiler/ir/equal.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { OP_NAMES, opRecord } from '../../compiler/ir/ops.ts';
import { parseGraph, printGraph } from '../../compiler/ir/text.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { printType, tensorType } from '../../compiler/ir/types.ts';
import { verifyGraph } from '../../compiler/ir/verify.ts';
import { legalization } from '../../compiler/pipeline.ts';
import type { BisectGate } from '../../passes/instruments/bisect.ts';
import { bisectGate } from '../../passes/instruments/bisect.ts';
import { contractCheck } from '../../passes/instruments/contracts.ts';
import { verifying } from '../../passes/instruments/verifying.ts';
import type { PipelineOptions, PipelineResult } from '../../passes/manager.ts';
import { runPipeline } from '../../passes/manager.ts';
import type { Pass, Sample } from '../../passes/pass.ts';
import { invoke } from '../../passes/pass.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import type { PassName } from '../../passes/registry.ts';
import { PASSES } from '../../passes/registry.ts';
import { composed } from '../../passes/rules/activations.ts';
import { pmax, pmin } from '../../runtime/numerics/float.ts';
import { toNarrow } from '../../runtime/numerics/narrow.ts';
import { DEFAULT_SEED, uniformF32, xorshift32 } from '../../runtime/numerics/random.ts';
import type { GraphAndInputs } from '../support/arbitraries.ts';
import { evaluatedCalibration } from '../support/calibration.ts';
import { loadTarget } from '../support/targets.ts';
import type { GraphOptions } from '../support/random-graph.ts';
import { decoratedGraphs, withKnownInputs, withTwins } from './decorate.ts';
import { runs } from '../support/effort.ts';

const RUNS = runs(150);
/** The shares that are asserted are those of these graphs. */
const SEED = 20_160_618;

const passes: readonly Pass[] = Object.values(PASSES);

/** Ops without a form in fixed point, which the pass refuses by name (test/passes/golden/to-fixed-point-refused.pir). */
const NO_FIXED_POINT: readonly OpName[] = ['batch-norm', 'lrn', 'softmax', 'matmul', 'sigmoid', 'tanh', 'conv'];

/** The result, or undefined where the pass says that it cannot deal with the graph. */
function tryRun(graph: Graph, pass: Pass, options: PipelineOptions = {}): PipelineResult | undefined {
  try {
    return runPipeline(graph, [invoke(pass)], options);
  } catch (error) {
    if (error instanceof DiagnosticError && error.diagnostics.every(({ kind }) => kind === 'unsupported' || kind === 'invalid'))
      return undefined;
    throw error;
  }
}

/** Ops that a precision is chosen for: what converts is what these passes put in. */
const FLOAT_OPS = OP_NAMES.filter((op) => !opRecord(op).traits.includes('conversion'));

/** What a pass is tried on: random graphs, made such that it has something to do. */
interface Trial {
  readonly options: GraphOptions;
  /** The graph that the pass is given, or undefined where there is none. */
  readonly prepare?: (sample: GraphAndInputs) => Graph | undefined;
  /** The least share of graphs that it changes. */
  readonly changes: number;
}

const FLOATS: GraphOptions = { ops: FLOAT_OPS, elements: ['f32'], layouts: ['nchw'] };

function legalized({ graph }: GraphAndInputs): Graph | undefined {
  return tryRun(graph, PASSES['legalize-layout'])?.graph;
}

const TRIALS: Readonly<Record<PassName, Trial>> = {
  // Some inputs are constants, so that there are operations on constants alone.
  'fold-constants': { options: {}, prepare: withKnownInputs, changes: 0.3 },
  'eliminate-dead': { options: {}, changes: 0.1 },
  'eliminate-common': { options: {}, prepare: ({ graph }) => withTwins(graph), changes: 0.5 },
  simplify: { options: {}, changes: 0.3 },
  'fold-batch-norm': { options: {}, changes: 0.05 },
  'fuse-activation': { options: {}, changes: 0.02 },
  'legalize-layout': { options: { layouts: ['nchw'] }, changes: 0.9 },
  'to-fixed-point': {
    options: { ...FLOATS, ops: FLOAT_OPS.filter((op) => !NO_FIXED_POINT.includes(op)) },
    prepare: legalized,
    changes: 0.9,
  },
  'reduce-precision': { options: FLOATS, prepare: legalized, changes: 0.2 },
  'to-dynamic-fixed': { options: FLOATS, prepare: legalized, changes: 0.2 },
  quantize: { options: FLOATS, prepare: legalized, changes: 0.2 },
};

/** How many of the graphs of a property a pass took, and how many it changed. */
class Count {
  #drawn = 0;
  #ran = 0;
  #changed = 0;

  /** Runs the pass on what is drawn; undefined where it does not take it. */
  run(pass: Pass, sample: GraphAndInputs, observers: PipelineOptions['observers'] = []): { graph: Graph; result: Graph } | undefined {
    this.#drawn++;
    const { prepare } = TRIALS[pass.name as PassName];
    const graph = prepare ? prepare(sample) : sample.graph;
    const result = graph && runOn(graph, pass, sample, observers);
    if (!graph || !result) return undefined;
    this.#ran++;
    if (result !== graph) this.#changed++;
    return { graph, result };
  }

  /** A property that nothing ran through, or that changed nothing, has shown nothing. */
  expectEnough({ name }: Pass): void {
    expect(this.#ran / this.#drawn, `share of ${this.#drawn} graphs that ${name} takes`).toBeGreaterThanOrEqual(0.8);
    expect(this.#changed / this.#drawn, `share of ${this.#drawn} graphs that ${name} changes`).toBeGreaterThanOrEqual(
      TRIALS[name as PassName].changes,
    );
  }
}

/** Statistics are those of the very values that are fed. */
function runOn(graph: Graph, pass: Pass, { inputs }: GraphAndInputs, observers: PipelineOptions['observers'] = []): Graph | undefined {
  return tryRun(graph, pass, { observers, calibration: evaluatedCalibration([inputs]) })?.graph;
}

describe.each(passes.map((pass) => ({ name: pass.name, pass })))('$name on random graphs', ({ pass }) => {
  const { options } = TRIALS[pass.name as PassName];

  test.each(['ordinary', 'special'] as const)('keeps its contract on %s values', (contents) => {
    const count = new Count();
    fc.assert(
      fc.property(decoratedGraphs({ ...options, contents }), (sample) => {
        count.run(pass, sample, [verifying(), contractCheck({ samples: [sample.inputs] })]);
      }),
      { numRuns: RUNS, seed: SEED },
    );
    count.expectEnough(pass);
  });

  test('gives the very same graph when it changes nothing, and is deterministic', () => {
    const count = new Count();
    fc.assert(
      fc.property(decoratedGraphs(options), (sample) => {
        const ran = count.run(pass, sample);
        if (!ran) return;
        const { graph, result } = ran;
        expect(equalGraphs(result, graph)).toBe(result === graph);
        expect(printGraph(runOn(graph, pass, sample) ?? graph).text).toBe(printGraph(result).text);
        if (pass.idempotent) expect(runOn(result, pass, sample)).toBe(result);
      }),
      { numRuns: RUNS, seed: SEED },
    );
    count.expectEnough(pass);
  });

  test('gives a graph that survives its text form', () => {
    const count = new Count();
    fc.assert(
      fc.property(decoratedGraphs(options), (sample) => {
        const ran = count.run(pass, sample);
        if (!ran) return;
        const { text, constants } = printGraph(ran.result);
        expect(equalGraphs(parseGraph(text, { file: 'result', constants }), ran.result)).toBe(true);
      }),
      { numRuns: Math.ceil(RUNS / 3), seed: SEED },
    );
    count.expectEnough(pass);
  });
});

describe('pipelines on random graphs', () => {
  const O1 = parsePipeline('O1');

  test('O1 needs no second run', () => {
    fc.assert(
      fc.property(decoratedGraphs(), ({ graph }) => {
        const once = runPipeline(graph, O1).graph;
        expect(printGraph(runPipeline(once, O1).graph).text).toBe(printGraph(once).text);
      }),
      { numRuns: RUNS },
    );
  });

  test('what compiles without O1 compiles with it', () => {
    fc.assert(
      fc.property(decoratedGraphs({ elements: ['f32'], layouts: ['nchw'] }), ({ graph }) => {
        const plain = tryRun(graph, PASSES['legalize-layout']);
        if (!plain) return;
        const optimized = runPipeline(graph, [...O1, invoke(PASSES['legalize-layout'])]);
        expect(verifyGraph(optimized.graph)).toEqual([]);
        expect(optimized.graph.stage).toBe('legal');
      }),
      { numRuns: RUNS },
    );
  });

  test('a bisection limit leaves a valid graph of the same outputs wherever it falls', () => {
    const exact = passes.filter((pass) => pass.meaning === 'exact').map((pass) => invoke(pass));
    fc.assert(
      fc.property(decoratedGraphs({ contents: 'special' }), fc.nat({ max: 12 }), ({ graph, inputs }, limit) => {
        let asked = 0;
        const bisect = {
          limit,
          get asked() {
            return asked;
          },
          allow: () => ++asked <= limit,
        };
        const { graph: result } = runPipeline(graph, exact, { bisect, observers: [verifying(), contractCheck({ samples: [inputs] })] });
        expect(evaluateGraph(result, inputs).size).toBeGreaterThan(0);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('clamps in a row', () => {
  const specials = [NaN, -Infinity, -2, -1, -0, 0, 1, 2, Infinity];
  const clamp = (x: number, low: number, high: number): number => pmin(pmax(x, low), high);

  test('are one clamp, for all special bounds and values', () => {
    const bounds = specials.filter((x) => !Number.isNaN(x));
    let merged = 0;
    for (const l1 of bounds)
      for (const h1 of bounds)
        for (const l2 of bounds)
          for (const h2 of bounds) {
            const one = composed({ low: l1, high: h1 }, { low: l2, high: h2 });
            if (!one) continue;
            merged++;
            for (const x of [...specials, -1.5, 0.5, 1.5]) {
              const expected = clamp(clamp(x, l1, h1), l2, h2);
              const found = clamp(x, one.low, one.high);
              if (!Object.is(expected, found))
                expect.fail(`clamping ${x} to [${l1}, ${h1}] and [${l2}, ${h2}] gives ${expected}, to [${one.low}, ${one.high}] ${found}`);
            }
          }
    expect(merged).toBeGreaterThan(900);
  });
});

describe.each(['f16', 'bf16', 'f8e4m3', 'f8e5m2', 'fixed16', 'int8', 'int8-naive'])('%s on random graphs', (preset) => {
  const pipeline = parsePipeline(preset);
  /** Statistics are those of the very values that are fed. */
  const compiled = ({ graph, inputs }: GraphAndInputs, bisect?: BisectGate): Graph | undefined => {
    if (!tryRun(graph, PASSES['legalize-layout'])) return undefined;
    const calibration = evaluatedCalibration([inputs]);
    return runPipeline(graph, pipeline, { calibration, observers: [verifying()], ...(bisect && { bisect }) }).graph;
  };
  const floatGraphs = decoratedGraphs(FLOATS);

  test('gives a legal graph of the same outputs, and legalizing leaves it alone', () => {
    fc.assert(
      fc.property(floatGraphs, ({ graph, inputs }) => {
        const result = compiled({ graph, inputs });
        if (!result) return;
        for (const { name, value } of graph.outputs) {
          const output = result.outputs.find((each) => each.name === name);
          expect(printType(result.node(output?.value ?? '').type)).toBe(printType(graph.node(value).type));
        }
        expect(runPipeline(result, legalization(result, loadTarget('cambricon'))).graph).toBe(result);
        evaluateGraph(result, inputs);
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    );
  });

  test('a bisection limit leaves a legal graph wherever it falls', () => {
    fc.assert(
      fc.property(floatGraphs, fc.nat({ max: 12 }), ({ graph, inputs }, limit) => {
        const result = compiled(
          { graph, inputs },
          bisectGate(limit, () => undefined),
        );
        if (result) evaluateGraph(result, inputs);
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    );
  });

  test('gives the same text each time, which reads back', () => {
    fc.assert(
      fc.property(floatGraphs, (sample) => {
        const result = compiled(sample);
        if (!result) return;
        const { text, constants } = printGraph(result);
        expect(printGraph(compiled(sample) ?? result).text).toBe(text);
        expect(equalGraphs(parseGraph(text, { file: 'result', constants }), result)).toBe(true);
      }),
      { numRuns: Math.ceil(RUNS / 5) },
    );
  });
});

test('sums in another order may be rounded to the neighbouring number of a narrow type, and no further', () => {
  const graph = parseGraph(
    `graph @narrow stage(imported) {
  %x: f16[1,2,5,1] = input
  %y: f16[1,2,4,1] = average-pool(%x) {kernel=[3,1], pads=[1,0,0,0]}
  output "y" = %y
}`,
    { file: 'test' },
  );
  let state = DEFAULT_SEED;
  const element = (): number => toNarrow('f16', 2 * uniformF32((state = xorshift32(state))) - 1);
  const sample = (): Sample => new Map([['x', tensor(tensorType('f16', [1, 2, 5, 1]), Uint16Array.from({ length: 10 }, element))]]);
  const samples = Array.from({ length: 500 }, sample);
  expect(() => runPipeline(graph, [invoke(PASSES['legalize-layout'])], { observers: [contractCheck({ samples })] })).not.toThrow();
});
