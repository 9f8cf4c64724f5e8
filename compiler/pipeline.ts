/**
 * The whole compile on one screen: imported graph → passes → optimized graph → legalization → legal graph → lowering (`lower/lower.ts`:
 * tiled program, scheduled, allocated, instructions). Each stage is checked by its verifier before the next begins.
 */
import type { Target } from '../isa/target.ts';
import type { PipelineOptions, PipelineResult } from '../passes/manager.ts';
import { runPipeline } from '../passes/manager.ts';
import type { PassInvocation } from '../passes/pass.ts';
import { invoke } from '../passes/pass.ts';
import { legalizeLayout } from '../passes/legalize-layout.ts';
import { toFixedPoint } from '../passes/to-fixed-point.ts';
import { eliminateDead } from '../passes/eliminate-dead.ts';
import type { Graph } from './ir/graph.ts';
import { checkGraph } from './ir/verify.ts';
import type { Lowered, LowerOptions } from './lower/lower.ts';
import { lower } from './lower/lower.ts';
import type { CompileObserver } from './lower/phases.ts';
import { unobserved } from './lower/phases.ts';

export interface CompileOptions extends LowerOptions {
  readonly target: Target;
  readonly passes: readonly PassInvocation[];
  /** Observers of the optimization pipeline. */
  readonly pipeline?: PipelineOptions;
}

export interface Compilation extends Lowered {
  readonly imported: Graph;
  readonly optimized: Graph;
  /** Its values are those of the program, bit for bit. */
  readonly legal: Graph;
}

export function compileModel(imported: Graph, options: CompileOptions): Compilation {
  const optimized = optimize(imported, options.passes, options.pipeline, options.observe).graph;
  return { imported, optimized, ...compileOptimized(optimized, options.target, options) };
}

/** What follows the passes that the user chose. */
export function compileOptimized(
  optimized: Graph,
  target: Target,
  options: LowerOptions = {},
): Omit<Compilation, 'imported' | 'optimized'> {
  const legal = legalize(optimized, target, options.observe);
  return { legal, ...lower(legal, target, options) };
}

/** The passes that the user chose. */
export function optimize(
  imported: Graph,
  passes: readonly PassInvocation[],
  options: PipelineOptions = {},
  observe: CompileObserver = unobserved,
): PipelineResult {
  observe('verify', () => checkGraph(imported));
  const result = observe('passes', () => runPipeline(imported, passes, options));
  return { ...result, graph: observe('verify', () => asOptimized(result.graph)) };
}

/** A graph that passes left, as legalization takes it. */
export function asOptimized(graph: Graph): Graph {
  return checkGraph(graph.with({ stage: 'optimized' }));
}

/** The rewrites that a target cannot do without: its layouts and its element type. */
export function legalization(target: Target): readonly PassInvocation[] {
  const toElements = target.datapath === 'fx16' ? [invoke(toFixedPoint, { fraction: target.fractionBits })] : [];
  return [invoke(legalizeLayout), ...toElements, invoke(eliminateDead)];
}

export function legalize(optimized: Graph, target: Target, observe: CompileObserver = unobserved): Graph {
  const graph = observe('legalize', () => runPipeline(optimized, legalization(target)).graph.with({ stage: 'legal' }));
  observe('verify', () => checkGraph(graph));
  return graph;
}
