/** The ladder: a pipeline pass by pass, and what each pass did to the executed program, in predictions, cycles, bytes and energy. */
import type { Diagnostic } from '../../compiler/ir/diagnostic.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { countChangedOps } from '../../compiler/ir/equal.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { ContainerInfo } from '../../isa/container.ts';
import type { Target } from '../../isa/target.ts';
import type { ContractReport } from '../../passes/contract/check.ts';
import type { PipelineOptions } from '../../passes/manager.ts';
import type { Meaning, PassInvocation, Sample } from '../../passes/pass.ts';
import { printPipeline, printStep } from '../../passes/pipeline-text.ts';
import type { Dataset } from '../data/dataset.ts';
import type { CauseCycles } from '../machine/causes.ts';
import type { CheckedPass } from './contracts.ts';
import { checkPasses, explainDifference } from './contracts.ts';
import type { EvaluateOptions, Evaluation } from './evaluate.ts';
import type { Comparison, Conversions, Executed, MeasuredFigures } from './executions.ts';
import { compareExecuted, Executions, figuresOf } from './executions.ts';
import type { OrderRow } from './orders.ts';
import { compareOrders } from './orders.ts';
import { firstDifferentSample } from './paired.ts';
import { graphSample, samplesOfInput } from './samples.ts';
import { graphMacs, meanRate } from './work.ts';

export const LADDER_SCHEMA = 'plumbline.ladder/1';

/** The name of the first row: the model as it was imported, with what the target cannot do without. */
export const IMPORT = 'import';

/** A contract, and what held the pass to it. */
export interface ContractResult {
  readonly meaning: Meaning;
  /** The c of a pass that reassociates. */
  readonly bound: number | null;
  /** On the contract samples, graph against graph; null where the pass left the graph as it was. */
  readonly check: ContractReport | null;
  /**
   * Of exact passes, program against program on all samples of the data: outputs are those of the row before bit for bit, or legalization behind the pass,
   * which is not exact, rounds otherwise.
   */
  readonly executed: 'bit-equal' | 'legalization differs' | null;
}

/** One pass: the whole compile of the pipeline up to it, executed. */
export interface LadderRow extends MeasuredFigures, Comparison {
  /** As pipelines write it; `import` for the first row. */
  readonly pass: string;
  /** Null for the first row. */
  readonly contract: ContractResult | null;
  /** Operations of the graph that the pass changed, made or removed. */
  readonly opsChanged: number;
  /** Whether the outputs of all samples have the bits of the first row, and of the row before. */
  readonly bitEqual: { readonly first: boolean; readonly previous: boolean };
}

/** Why a lossy pass made the program as much faster as it did. */
export interface Gain {
  /** Index of the row, which is compared with the row before. */
  readonly row: number;
  readonly pass: string;
  /** By the rates of the element types of all multiply-accumulates; null where the target has no rate for one. */
  readonly idealRatio: number | null;
  /** Cycles before by cycles after. */
  readonly ratio: number;
  readonly cycles: { readonly before: CauseCycles; readonly after: CauseCycles };
  readonly conversions: Conversions;
}

/** Equal inputs give equal ladders, `host` excepted. */
export interface Ladder extends Pick<Evaluation, 'model' | 'target' | 'passes' | 'dataset' | 'samples' | 'classes' | 'data'> {
  readonly schema: typeof LADDER_SCHEMA;
  /** Samples that contracts were checked on, graph against graph. */
  readonly contractSamples: number;
  readonly rows: readonly LadderRow[];
  readonly gains: readonly Gain[];
  /** The largest loss of top-1 against the first row that is allowed, in points, and the first pass that went over it. */
  readonly budget: { readonly points: number; readonly exceededBy: string | null } | null;
  /** What broke a contract; the rows end in front of it. */
  readonly violation: Diagnostic | null;
  /** What other orders of the passes give, where that was asked for. */
  readonly orders: readonly OrderRow[] | null;
  readonly host: { readonly seconds: number };
}

export interface LadderOptions extends Omit<EvaluateOptions, 'onProgress' | 'onScores' | 'profile'> {
  readonly target: Target;
  readonly passes: readonly PassInvocation[];
  readonly dataset: Dataset;
  readonly model: string;
  readonly container: ContainerInfo;
  /** Samples of the graph's inputs that every pass is held to its contract on. */
  readonly contractSamples: readonly Sample[];
  /** Largest loss of top-1 against the first row, in points. */
  readonly budgetPoints?: number;
  /** Whether to compile and execute the orders next to the pipeline's own. */
  readonly orders?: boolean;
  /** What passes get from outside. */
  readonly pipeline?: PipelineOptions;
  /** `what` is under way. */
  readonly onProgress?: (what: string, done: number, total: number) => void;
}

/** A row, and what the next ones are compared with. */
interface Rung {
  readonly row: LadderRow;
  readonly executed: Executed;
  /** See `meanRate`. */
  readonly rate: number | undefined;
}

/**
 * Climbs a pipeline. Throws where a prefix of it cannot be compiled, where the data does not fit, and what executing throws; a broken contract and
 * a budget that is exceeded are in the result.
 */
export async function evaluateLadder(imported: Graph, options: LadderOptions): Promise<Ladder> {
  const { target, passes, dataset, model, container, contractSamples, pipeline, onProgress, orders, ...evaluation } = options;
  const start = options.now();
  const executions = new Executions({ ...evaluation, target, dataset, model, container, macs: graphMacs(imported) });
  const checked = await checkPasses(imported, passes, {
    samples: contractSamples,
    ...(pipeline && { pipeline }),
    ...(options.signal && { signal: options.signal }),
    onProgress: (done, total) => onProgress?.('contracts', done, total),
  });
  const run = (what: string, graph: Graph, prefix: readonly PassInvocation[]): Promise<Executed> =>
    executions.run(graph, printPipeline(prefix), (done, total) => onProgress?.(what, done, total));

  const row = async (index: number, name: string, graph: Graph): Promise<Executed> => {
    try {
      return await run(`row ${index} of ${passes.length}, ${name}`, graph, passes.slice(0, index));
    } catch (error) {
      throw error instanceof DiagnosticError ? error.within(`row ${index}`, name) : error;
    }
  };

  const rungs: Rung[] = [firstRung(await row(0, IMPORT, imported), target)];
  let { violation } = checked;
  for (const pass of checked.passes) {
    const executed = await row(pass.index + 1, pass.step.pass.name, pass.outcome.after);
    const next = await climb(pass, executed, rungs, imported, options);
    if ('violation' in next) {
      violation = next.violation;
      break;
    }
    rungs.push(next);
  }

  const rows = rungs.map(({ row }) => row);
  const [first, last] = [rungs[0] as Rung, rungs.at(-1) as Rung];
  const around = orders && !violation;
  const { evaluation: whole } = first.executed;
  return {
    schema: LADDER_SCHEMA,
    model,
    target: target.name,
    passes: printPipeline(passes),
    dataset: dataset.name,
    samples: dataset.samples,
    classes: whole.classes,
    data: whole.data,
    contractSamples: contractSamples.length,
    rows,
    gains: gainsOf(rungs),
    budget:
      options.budgetPoints === undefined
        ? null
        : { points: options.budgetPoints, exceededBy: firstOver(rows, dataset.samples, options.budgetPoints) },
    violation: violation ?? null,
    orders: around
      ? await compareOrders({
          imported,
          passes,
          last: last.executed,
          run,
          ...(pipeline && { pipeline }),
          ...(options.signal && { signal: options.signal }),
        })
      : null,
    host: { seconds: options.now() - start },
  };
}

function firstRung(executed: Executed, target: Target): Rung {
  return {
    executed,
    rate: meanRate(executed.legal, target),
    row: {
      pass: IMPORT,
      contract: null,
      opsChanged: 0,
      ...figuresOf(executed),
      ...compareExecuted(executed, executed),
      bitEqual: { first: true, previous: true },
    },
  };
}

/** The row of a pass, or what is wrong with it. */
async function climb(
  pass: CheckedPass,
  executed: Executed,
  rungs: readonly Rung[],
  imported: Graph,
  { dataset, target }: LadderOptions,
): Promise<Rung | { readonly violation: Diagnostic }> {
  const [first, previous] = [rungs[0] as Rung, rungs.at(-1) as Rung];
  const { step, report } = pass;
  const { classes, values } = executed.scores;
  const different = firstDifferentSample(previous.executed.scores.values, values, classes);
  const exact = step.pass.meaning === 'exact';
  const [input] = imported.inputs;
  if (exact && different !== undefined && input) {
    const batch = samplesOfInput(input, dataset) ?? 1;
    const sample = await graphSample(input, dataset, batch, different - (different % batch));
    const violation = explainDifference(pass, { before: previous.executed.legal, after: executed.legal }, sample);
    if (violation) return { violation };
  }
  const differs = different === undefined ? 'bit-equal' : 'legalization differs';
  return {
    executed,
    rate: meanRate(executed.legal, target),
    row: {
      pass: printStep(step),
      contract: {
        meaning: step.pass.meaning,
        bound: step.pass.meaning === 'reassociates' ? step.pass.bound : null,
        check: report,
        executed: exact ? differs : null,
      },
      opsChanged: countChangedOps(pass.before, pass.outcome.after),
      ...figuresOf(executed),
      ...compareExecuted(first.executed, executed),
      bitEqual: {
        first: firstDifferentSample(first.executed.scores.values, values, classes) === undefined,
        previous: different === undefined,
      },
    },
  };
}

/** The lossy passes that made the program faster. */
function gainsOf(rungs: readonly Rung[]): readonly Gain[] {
  return rungs.flatMap(({ row, rate }, index) => {
    const before = rungs[index - 1];
    if (row.contract?.meaning !== 'lossy' || !before || row.timing.cycles >= before.row.timing.cycles) return [];
    return [
      {
        row: index,
        pass: row.pass,
        idealRatio: rate === undefined || before.rate === undefined ? null : before.rate / rate,
        ratio: before.row.timing.cycles / row.timing.cycles,
        cycles: { before: before.row.timing.stalls, after: row.timing.stalls },
        conversions: row.conversions,
      },
    ];
  });
}

function firstOver(rows: readonly LadderRow[], samples: number, points: number): string | null {
  return rows.find(({ flips: { better, worse } }) => (100 * (worse - better)) / samples > points)?.pass ?? null;
}
