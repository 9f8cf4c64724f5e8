/** All that is known of one value: where it comes from, what it holds, what it costs, how wrong it is. */
import type { Graph, OpNode } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { printType } from '../../compiler/ir/types.ts';
import type { Program } from '../../isa/program.ts';
import type { InstructionProfile, ProgramInstructions } from '../evaluate/profile.ts';
import { addInstructions } from '../evaluate/profile.ts';
import type { Run } from './run.ts';
import type { Bin, ValueStatistics } from './statistics.ts';
import { describeValues, histogram } from './statistics.ts';
import type { TensorDiff } from './tensors.ts';
import { sourceNumbers } from './trace.ts';
import type { WeightsView } from './weights.ts';
import { weightsOf } from './weights.ts';

export const EXPLAIN_SCHEMA = 'plumbline.explain/1';
const BINS = 16;

/** An op as a stage of the compile has it. */
export interface StageOp {
  readonly value: string;
  readonly op: OpName;
  readonly operands: readonly string[];
  readonly type: string;
}

/** A stage, and the ops in it that compute the same nodes of the model. */
export interface StageView {
  readonly stage: string;
  readonly ops: readonly StageOp[];
}

/** Instructions `first` up to, but without, `end`. */
export interface InstructionRange {
  readonly first: number;
  readonly end: number;
}

export interface Explanation {
  readonly schema: typeof EXPLAIN_SCHEMA;
  readonly model: string;
  readonly target: string;
  readonly value: string;
  readonly type: string;
  /** Nodes of the model. */
  readonly origin: readonly string[];
  /** The stages at which something changed, first one first; the last is the legal graph. */
  readonly stages: readonly StageView[];
  readonly instructions: readonly InstructionRange[];
  /** What those instructions cost together, and all of the program; absent where the value needs none, as a view does. */
  readonly cost?: InstructionProfile;
  readonly programCycles: number;
  /** Over the samples that were kept. */
  readonly samples: number;
  readonly statistics: ValueStatistics;
  readonly histogram: readonly Bin[];
  /** Of a product with constant weights. */
  readonly weights?: WeightsView;
  /** Beside the float model; absent for inputs and for values that it does not have. */
  readonly error?: TensorDiff;
}

export interface Explained {
  readonly run: Run;
  /** Graphs from import to the last pass, by the name of the stage. */
  readonly stages: ReadonlyMap<string, Graph>;
  readonly instructions: ProgramInstructions;
  readonly error?: TensorDiff;
}

/** The value of the legal graph that a name stands for: a value of it, or a node of the model that it computes. */
export function findValue(graph: Graph, stages: ReadonlyMap<string, Graph>, name: string): string | undefined {
  const wanted = name.replace(/^%/, '');
  const node = graph.find(wanted);
  if (node && node.kind !== 'constant') return node.name;
  const computing = (origin: string): string | undefined => graph.ops.findLast((op) => op.origin.includes(origin))?.name;
  const direct = computing(wanted);
  if (direct !== undefined) return direct;
  // A value that a pass did away with: what computes the same nodes now.
  for (const stage of stages.values()) {
    const found = stage.find(wanted);
    const now = found?.kind === 'op' ? found.origin.map(computing).find((value) => value !== undefined) : undefined;
    if (now !== undefined) return now;
  }
  return undefined;
}

export function explain(value: string, { run, stages, instructions, error }: Explained): Explanation {
  const { graph, values, layouts } = run.trace;
  const node = graph.node(value);
  const origin = node.kind === 'op' ? node.origin : [];
  const parts = values.flatMap((each) => {
    const tensor = each.get(value);
    return tensor ? [sourceNumbers(tensor, layouts.get(value))] : [];
  });
  const sections = new Set([
    value,
    ...graph.ops.filter((op) => op.origin.length > 0 && op.origin.every((name) => origin.includes(name))).map(({ name }) => name),
  ]);
  const ranges = rangesOf(run.program, sections);
  const weights = weightsOf(value, graph);
  const costs = ranges.flatMap(({ first, end }) =>
    Array.from({ length: end - first }, (_, i) => instructions.byAddress.get(first + i) ?? []).flat(),
  );
  return {
    schema: EXPLAIN_SCHEMA,
    model: run.manifest.model.name,
    target: run.manifest.target.name,
    value,
    type: printType(node.type),
    origin,
    stages: changedStages(new Map([...stages, ['legal', graph]]), value, origin),
    instructions: ranges,
    ...(costs.length > 0 && { cost: addInstructions(costs) }),
    programCycles: instructions.cycles,
    samples: Math.min(values.length * run.manifest.batch, run.manifest.samples),
    statistics: describeValues(parts),
    histogram: histogram(parts, BINS),
    ...(weights && { weights }),
    ...(error && { error }),
  };
}

function changedStages(stages: ReadonlyMap<string, Graph>, value: string, origin: readonly string[]): readonly StageView[] {
  const views: StageView[] = [];
  for (const [stage, graph] of stages) {
    const ops = graph.ops.filter((node) => node.name === value || node.origin.some((name) => origin.includes(name))).map(stageOp);
    if (JSON.stringify(ops) !== JSON.stringify(views.at(-1)?.ops)) views.push({ stage, ops });
  }
  return views;
}

function stageOp({ name, op, inputs, type }: OpNode): StageOp {
  return { value: name, op, operands: inputs, type: printType(type) };
}

function rangesOf({ debug }: Program, sections: ReadonlySet<string>): readonly InstructionRange[] {
  const ranges: InstructionRange[] = [];
  for (const { first, count } of debug.filter(({ node }) => sections.has(node))) {
    const last = ranges.at(-1);
    if (last?.end === first) ranges[ranges.length - 1] = { first: last.first, end: first + count };
    else ranges.push({ first, end: first + count });
  }
  return ranges;
}
