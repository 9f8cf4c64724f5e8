/** Ladders: rows are whole compiles, exact passes keep every bit, and passes that are wrong are caught and named. */
import { describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { zooDataset } from '../../compiler/cli/zoo.ts';
import type { ConstantNode, Graph, Node } from '../../compiler/ir/graph.ts';
import { floats, tensor } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { encodeContainer } from '../../isa/container.ts';
import { GraphWriter } from '../../passes/graph-writer.ts';
import type { Pass, PassInvocation } from '../../passes/pass.ts';
import { pass } from '../../passes/pass.ts';
import { parsePipeline, printPipeline } from '../../passes/pipeline-text.ts';
import { PASSES, PRESETS } from '../../passes/registry.ts';
import { firstSamples } from '../../runtime/data/dataset.ts';
import { explainDifference } from '../../runtime/evaluate/contracts.ts';
import { evaluateProgram } from '../../runtime/evaluate/evaluate.ts';
import type { Ladder, LadderOptions } from '../../runtime/evaluate/ladder.ts';
import { evaluateLadder } from '../../runtime/evaluate/ladder.ts';
import { firstGraphSamples } from '../../runtime/evaluate/samples.ts';
import { graphMacs, meanRate } from '../../runtime/evaluate/work.ts';
import { renderLadder } from '../../runtime/report/ladder.ts';
import { evaluatedCalibration } from '../support/calibration.ts';
import { loadTarget } from '../support/targets.ts';
import { effort } from '../support/effort.ts';

const container = { targetHash: '0'.repeat(64), producer: 'test' };

interface Setup extends Partial<LadderOptions> {
  readonly model?: string;
  readonly samples?: number;
  readonly targetName?: 'cambricon' | 'cambricon-base';
  /** Test-only passes that the pipeline may name. */
  readonly own?: readonly Pass[];
}

async function ladder(pipeline: string, setup: Setup = {}): Promise<Ladder> {
  const { model = 'lenet-300-100', samples = 20, targetName = 'cambricon', own = [], ...options } = setup;
  const graph = loadGraph(findModel(model), { batch: 1 });
  const dataset = firstSamples(await zooDataset('fashion-mnist'), samples);
  const calibration = await zooDataset('fashion-mnist', 'calibration');
  const [input] = graph.inputs;
  const calibrationSamples = (input && (await firstGraphSamples(input, calibration, 1))) ?? [];
  let now = 0;
  return evaluateLadder(graph, {
    target: loadTarget(targetName),
    passes: steps(pipeline, own),
    dataset,
    model,
    container,
    contractSamples: calibrationSamples,
    pipeline: { calibration: evaluatedCalibration(calibrationSamples) },
    now: () => now++,
    ...options,
  });
}

function steps(pipeline: string, own: readonly Pass[] = []): PassInvocation[] {
  return parsePipeline(pipeline, { passes: { ...PASSES, ...Object.fromEntries(own.map((each) => [each.name, each])) }, presets: PRESETS });
}

/** A graph with the elements of one constant changed. */
function withConstant(graph: Graph, found: (node: ConstantNode) => boolean, change: (x: number) => number): Graph {
  const wanted = graph.nodes.find((node) => node.kind === 'constant' && found(node));
  const replaced = (node: Node): Node =>
    node === wanted && node.kind === 'constant' ? { ...node, value: tensor(node.type, floats(node.value).map(change)) } : node;
  return graph.with({ nodes: graph.nodes.map(replaced) });
}

const record = { doc: 'Of this test.', requires: [], establishes: [], params: {} } as const;

/** Says that it is exact and changes the weights of the first product. */
const wrongWeights = pass({
  ...record,
  name: 'wrong-weights',
  meaning: 'exact',
  run: (graph, _params, context) => {
    context.allow('spoil', graph.ops.find(({ op }) => op === 'gemm')?.name);
    return withConstant(
      graph,
      ({ type }) => type.shape.length === 2,
      (x) => x * 1.01,
    );
  },
});

describe.each(effort(['mobilenet'], ['mobilenet', 'resnet']))('the ladder of %s with eight passes', (model) => {
  it('has exact rows that flip nothing and keep every bit', async () => {
    const { rows, violation } = await ladder('O1,legalize-layout', { model, samples: 12 });
    expect(violation).toBeNull();
    expect(rows.map(({ pass: name }) => name)).toEqual(['import', ...steps('O1,legalize-layout').map((step) => printPipeline([step]))]);
    expect(rows).toHaveLength(9);
    const exact = rows.filter(({ contract }) => contract?.meaning === 'exact');
    expect(exact).toHaveLength(6);
    for (const [i, row] of rows.entries()) {
      expect(row.flips).toEqual({ better: 0, worse: 0, pValue: 1 });
      if (row.contract?.meaning !== 'exact') continue;
      expect(row.contract.executed).toBe('bit-equal');
      expect(row.bitEqual.previous).toBe(true);
      expect(row.outputSqnrDecibels).toBe(rows[i - 1]?.outputSqnrDecibels);
    }
    // Folding the normalisation does change bits, and saves a quarter of the cycles.
    const folded = rows.find(({ pass: name }) => name === 'fold-batch-norm');
    expect(folded?.contract).toMatchObject({ meaning: 'reassociates', bound: 3, executed: null });
    expect(folded?.bitEqual).toEqual({ first: false, previous: false });
    expect(folded?.outputSqnrDecibels).toBeGreaterThan(100);
    expect(folded?.timing.cycles).toBeLessThan(0.8 * (rows[0]?.timing.cycles ?? 0));
  }, 120_000);
});

describe('the rows of a ladder', () => {
  it('are what compiling the pipeline up to there, and evaluating it, gives', async () => {
    const passes = steps('O1,to-fixed-point');
    const { rows } = await ladder('O1,to-fixed-point');
    const target = loadTarget('cambricon');
    const graph = loadGraph(findModel('lenet-300-100'), { batch: 1 });
    for (const [i, row] of rows.entries()) {
      const { program } = compileModel(graph, { target, passes: passes.slice(0, i) });
      const programBytes = encodeContainer(program, container).length;
      const subject = { model: '', passes: '', macs: graphMacs(graph), programBytes, compileSeconds: 0 };
      const dataset = firstSamples(await zooDataset('fashion-mnist'), 20);
      const { metrics, timing, energy, size } = await evaluateProgram(program, target, dataset, subject, { now: () => 0 });
      expect({ metrics: row.metrics, timing: row.timing, energy: row.energy, size: row.size }).toEqual({ metrics, timing, energy, size });
    }
  }, 60_000);

  it('are executed once where they are the same program', async () => {
    const executed = new Set<string>();
    const { rows } = await ladder('O1', { onProgress: (what) => void executed.add(what) });
    expect([...executed].filter((what) => what.startsWith('row'))).toEqual(['row 0 of 7, import', 'row 7 of 7, fuse-activation']);
    expect(new Set(rows.map(({ program }) => program)).size).toBe(2);
  });

  it('are the same in every run but for the host', async () => {
    const [one, two] = [await ladder('O1', { orders: true }), await ladder('O1', { orders: true })];
    expect(JSON.stringify({ ...two, host: one.host })).toBe(JSON.stringify(one));
  });

  it('count conversions inside the program apart from those of the host, and say where the gain of a lossy pass went', async () => {
    const { rows, gains } = await ladder('O1,to-fixed-point');
    expect(rows.at(-1)?.conversions).toEqual({ inside: 0, atPorts: 2 });
    expect(rows.at(-1)?.opsChanged).toBeGreaterThan(0);
    expect(rows.at(-1)?.outputSqnrDecibels).toBeGreaterThan(40);
    expect(gains).toHaveLength(1);
    const [gain] = gains;
    expect(gain).toMatchObject({ row: 8, pass: 'to-fixed-point', idealRatio: 4, conversions: { inside: 0, atPorts: 2 } });
    expect(gain?.cycles.before).toEqual(rows[7]?.timing.stalls);
    expect(gain?.ratio).toBe((rows[7]?.timing.cycles ?? NaN) / (rows[8]?.timing.cycles ?? NaN));
  });

  it('stop where they are told to', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(ladder('O1', { signal: controller.signal })).rejects.toThrow('enough');
  });

  it('name the row that cannot be compiled, and a pass that a graph is not ready for', async () => {
    await expect(ladder('O1', { model: 'lenet-5', targetName: 'cambricon-base' })).rejects.toThrow(/^row 0: import: .*fixed-point form/);
    await expect(ladder('legalize-layout,to-fixed-point,to-fixed-point')).rejects.toThrow(/^step 3: to-fixed-point: needs a graph without/);
  });
});

describe('a pass that breaks its contract', () => {
  it('ends the ladder, named with rule, tensor and layer', async () => {
    const found = await ladder('simplify,wrong-weights,fuse-activation', { own: [wrongWeights] });
    expect(found.rows.map(({ pass: name }) => name)).toEqual(['import', 'simplify']);
    expect(found.violation).toMatchObject({ kind: 'violated', code: 'contract/exact' });
    expect(found.violation?.place).toEqual(['step 2', 'wrong-weights', 'spoil', '%_1/Gemm_output_0']);
    expect(found.violation?.hint).toBe('the value computes /1/Gemm of the model');
    expect(renderLadder(found)).toContain('Violated: step 2: wrong-weights: spoil: %_1/Gemm_output_0: an exact pass changed element');
  });

  it('is caught by the executed program where the samples of the contract do not show it', async () => {
    // On an image of zeros weights do not matter.
    const zeros = [new Map([['image', tensor(tensorType('f32', [1, 1, 28, 28]), new Float32Array(784))]])];
    const found = await ladder('simplify,wrong-weights', { own: [wrongWeights], contractSamples: zeros });
    expect(found.rows).toHaveLength(2);
    expect(found.violation?.place).toEqual(['step 2', 'wrong-weights', 'spoil', '%_1/Gemm_output_0']);
  });

  it('is caught where it only claims to reassociate', async () => {
    const far: Pass = { ...wrongWeights, name: 'far', meaning: 'reassociates', bound: 3 };
    const found = await ladder('far', { own: [far] });
    expect(found.rows).toHaveLength(1);
    expect(found.violation).toMatchObject({ code: 'contract/reassociates', place: ['step 1', 'far', 'spoil', '%_1/Gemm_output_0'] });
  });

  it('is caught before a pass that stumbles over what it left', async () => {
    const stumbling = pass({
      ...record,
      name: 'stumbling',
      meaning: 'exact',
      run: () => {
        throw new Error('over what the pass before left');
      },
    });
    const found = await ladder('wrong-weights,stumbling', { own: [wrongWeights, stumbling] });
    expect(found.violation?.place?.[1]).toBe('wrong-weights');
    await expect(ladder('stumbling', { own: [stumbling] })).rejects.toThrow('over what');
  });

  it('is caught where it changes the signature', async () => {
    const renamed = pass({
      ...record,
      name: 'renamed',
      meaning: 'lossy',
      run: (graph) => graph.with({ outputs: graph.outputs.map(({ value }) => ({ name: 'other', value })) }),
    });
    const found = await ladder('eliminate-dead,renamed', { own: [renamed] });
    expect(found.rows).toHaveLength(2);
    expect(found.violation?.code).toBe('pass/signature');
  });
});

describe('exact passes in front of a legalization that is not', () => {
  /** x → x · 2⁻¹² · 2¹², which keeps every f32 of these logits and no fixed-point number. */
  const scaleTwice = pass({
    ...record,
    name: 'scale-twice',
    meaning: 'exact',
    run(graph) {
      const writer = new GraphWriter(graph);
      for (const node of graph.nodes) writer.copy(node);
      const outputs = graph.outputs.map(({ name, value }) => {
        const { type } = graph.node(value);
        const factor = (power: number): string =>
          writer.constant(writer.fresh(value, `factor${power}`), tensor(type, new Float32Array(10).fill(2 ** power)));
        const small = writer.op(writer.fresh(value, 'small'), 'mul', [value, factor(-12)], {}, []);
        return { name, value: writer.op(writer.fresh(value, 'again'), 'mul', [small, factor(12)], {}, []) };
      });
      return writer.finish(graph.stage, outputs);
    },
  });

  it('are told apart from passes that are wrong', async () => {
    const float = await ladder('O1,scale-twice', { own: [scaleTwice] });
    expect(float.violation).toBeNull();
    expect(float.rows.at(-1)?.contract?.executed).toBe('bit-equal');

    const fixed = await ladder('O1,scale-twice', { own: [scaleTwice], targetName: 'cambricon-base' });
    expect(fixed.violation).toBeNull();
    expect(fixed.rows.at(-1)?.contract?.executed).toBe('legalization differs');
    expect(fixed.rows.at(-1)?.bitEqual.previous).toBe(false);
    expect(renderLadder(fixed)).toContain('Exact: 6 of 7 passes keep every bit');
  });

  it('are not blamed for a program that does not compute its graph', () => {
    const graph = loadGraph(findModel('lenet-300-100'), { batch: 1 });
    const sample = new Map([['image', tensor(tensorType('f32', [1, 1, 28, 28]), new Float32Array(784).fill(0.5))]]);
    const [step] = steps('eliminate-dead') as [PassInvocation];
    const outcome = { after: graph, statistics: new Map(), rewritten: new Map(), rearranged: new Map(), warnings: [], refused: 0 };
    const found = explainDifference({ index: 0, step, before: graph, outcome }, { before: graph, after: graph }, sample);
    expect(found).toMatchObject({ kind: 'violated', code: 'contract/program', place: ['step 1', 'eliminate-dead'] });
  });
});

describe('the budget', () => {
  /** Makes one class win always. */
  const blind = pass({
    ...record,
    name: 'blind',
    meaning: 'lossy',
    run: (graph) =>
      withConstant(
        graph,
        ({ type }) => type.shape.join() === '10',
        (x) => (x === 0 ? 0 : x * 1e4),
      ),
  });

  it('names the first pass that goes over it, and keeps the rows', async () => {
    const { rows, budget, violation } = await ladder('O1,blind,eliminate-dead', { own: [blind], samples: 100, budgetPoints: 20 });
    expect(violation).toBeNull();
    expect(rows).toHaveLength(10);
    expect(budget).toEqual({ points: 20, exceededBy: 'blind' });
    const last = rows.at(-1);
    const lost = (last?.flips.worse ?? 0) - (last?.flips.better ?? 0);
    expect(lost).toBeGreaterThan(20);
    expect(lost).toBe(Math.round(100 * ((rows[0]?.metrics.top1.value ?? 0) - (last?.metrics.top1.value ?? 0))));
    expect(last?.flips.pValue).toBeLessThan(1e-6);
  });

  it('is kept where no more is lost than it allows', async () => {
    const all = await ladder('O1,blind', { own: [blind], samples: 100, budgetPoints: 100 });
    const last = all.rows.at(-1);
    const lost = (last?.flips.worse ?? 0) - (last?.flips.better ?? 0);
    const exactly = await ladder('O1,blind', { own: [blind], samples: 100, budgetPoints: lost });
    expect([all.budget?.exceededBy, exactly.budget?.exceededBy]).toEqual([null, null]);
  });
});

describe('other orders', () => {
  it('swap neighbours that differ, leave each pass out, and say what is not allowed', async () => {
    const { orders } = await ladder('O1,to-fixed-point', { orders: true });
    expect(orders?.map(({ change, steps: at }) => `${change} ${at.join(' ')}`)).toEqual([
      ...[1, 2, 3, 4, 5, 6, 7].map((i) => `swap ${i} ${i + 1}`),
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((i) => `omit ${i}`),
    ]);
    const of = (change: string, first: number) => orders?.find((order) => order.change === change && order.steps[0] === first);
    expect(of('omit', 8)?.result).toMatchObject({ sameProgram: false, flips: { better: 0, worse: 0 } });
    expect(of('omit', 1)?.result?.sameProgram).toBe(true);
  }, 60_000);

  it('do not swap equal neighbours', async () => {
    const { orders } = await ladder('simplify,simplify', { orders: true });
    expect(orders?.map(({ change }) => change)).toEqual(['omit', 'omit']);
  });

  it('are refused by what passes require', async () => {
    const needsLive = pass({ ...record, name: 'needs-live', meaning: 'exact', requires: ['legal'], run: (graph) => graph });
    const { orders } = await ladder('legalize-layout,needs-live', { own: [needsLive], orders: true });
    const refused = orders?.filter((order) => order.refused !== null);
    expect(refused?.map(({ change, steps: at }) => `${change} ${at.join(' ')}`)).toEqual(['swap 1 2', 'omit 1']);
    expect(refused?.[0]?.refused).toMatch(/^step 1: needs-live: needs a graph in the form that lowering accepts/);
    expect(refused?.[0]?.result).toBeNull();
  });
});

describe('the mean rate of products', () => {
  it('is weighted by multiply-accumulates', () => {
    const target = loadTarget('cambricon');
    const graph = loadGraph(findModel('lenet-300-100'), { batch: 1 });
    const { legal } = compileModel(graph, { target, passes: steps('O1,to-fixed-point') });
    expect(meanRate(graph, target)).toBe(4);
    expect(meanRate(legal, target)).toBe(1);
    expect(meanRate(graph, loadTarget('cambricon-base'))).toBeUndefined();
  });

  it('is that of the type of integers, whatever their scale', async () => {
    const { gains } = await ladder('int8');
    expect(gains.at(-1)?.idealRatio).toBe(8);
  });
});
