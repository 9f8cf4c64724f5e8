/** What the order of passes does: each pipeline with two neighbours swapped, or with one pass left out, beside the pipeline itself. */
import { DiagnosticError, printDiagnostic } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { PipelineOptions } from '../../passes/manager.ts';
import { calibrateAhead, runPipeline } from '../../passes/manager.ts';
import type { PassInvocation } from '../../passes/pass.ts';
import { printPipeline } from '../../passes/pipeline-text.ts';
import type { Comparison, Executed, MeasuredFigures } from './executions.ts';
import { compareExecuted, figuresOf } from './executions.ts';

/** Another pipeline, compared with the one that was asked for. */
export interface OrderRow {
  readonly change: 'swap' | 'omit';
  /** Positions in the pipeline, from 1, of what is swapped or left out: the rows of the ladder. */
  readonly steps: readonly number[];
  readonly passes: string;
  /** Why a pass refused the graph, or the compiler the result; null where neither did. */
  readonly refused: string | null;
  readonly result: OrderResult | null;
}

export interface OrderResult extends MeasuredFigures, Comparison {
  /** Whether it is the very program of the pipeline that was asked for. */
  readonly sameProgram: boolean;
}

export interface OrderOptions {
  readonly imported: Graph;
  readonly passes: readonly PassInvocation[];
  /** The program of the whole pipeline. */
  readonly last: Executed;
  readonly run: (what: string, graph: Graph, passes: readonly PassInvocation[]) => Promise<Executed>;
  readonly pipeline?: PipelineOptions;
  readonly signal?: AbortSignal;
}

/** The n − 1 swaps of neighbours that differ, then the n omissions. */
export async function compareOrders(options: OrderOptions): Promise<readonly OrderRow[]> {
  const rows: OrderRow[] = [];
  const variants = variantsOf(options.passes);
  for (const [i, variant] of variants.entries()) rows.push(await compareOrder(variant, `order ${i + 1} of ${variants.length}`, options));
  return rows;
}

type Variant = Pick<OrderRow, 'change' | 'steps'> & { readonly pipeline: readonly PassInvocation[] };

function variantsOf(passes: readonly PassInvocation[]): readonly Variant[] {
  const swaps = passes.slice(1).flatMap((later, i): Variant[] => {
    const earlier = passes[i] as PassInvocation;
    if (printPipeline([earlier]) === printPipeline([later])) return [];
    return [{ change: 'swap', steps: [i + 1, i + 2], pipeline: passes.toSpliced(i, 2, later, earlier) }];
  });
  return [...swaps, ...passes.map((_, i): Variant => ({ change: 'omit', steps: [i + 1], pipeline: passes.toSpliced(i, 1) }))];
}

async function compareOrder(variant: Variant, what: string, { imported, last, run, pipeline, signal }: OrderOptions): Promise<OrderRow> {
  const { change, steps } = variant;
  const row = { change, steps, passes: printPipeline(variant.pipeline) };
  try {
    await calibrateAhead(imported, variant.pipeline, pipeline, signal);
    const { graph } = runPipeline(imported, variant.pipeline, pipeline);
    const executed = await run(what, graph, variant.pipeline);
    const result = { ...figuresOf(executed), ...compareExecuted(last, executed), sameProgram: executed.sha256 === last.sha256 };
    return { ...row, refused: null, result };
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    const [first] = error.diagnostics;
    return { ...row, refused: first ? printDiagnostic(first) : 'invalid', result: null };
  }
}
