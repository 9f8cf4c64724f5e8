/**
 * The whole compile on one screen: imported graph → passes → optimized graph → legalization → legal graph → lowering (`lower/lower.ts`:
 * tiled program, scheduled, allocated, instructions). Each stage is checked by its verifier before the next begins.
 */
import type { Target } from '../isa/target.ts';
import type { PipelineOptions, PipelineResult } from '../passes/manager.ts';
import { runPipeline } from '../passes/manager.ts';
import type { PassInvocation, Rearrangement } from '../passes/pass.ts';
import { invoke } from '../passes/pass.ts';
import { legalizeLayout } from '../passes/legalize-layout.ts';
import { toFixedPoint } from '../passes/to-fixed-point.ts';
import { PROPERTIES, isReduced } from '../passes/properties.ts';
import { fixed16 } from '../runtime/numerics/element.ts';
import { fail } from './ir/diagnostic.ts';
import type { Graph } from './ir/graph.ts';
import { isPortable, portSides } from './ir/ports.ts';
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
  /** How the values that the legal graph stores in another order than the imported one got there. */
  readonly layouts: Layouts;
}

/** By value name, the rearrangements since import, first one first. */
export type Layouts = ReadonlyMap<string, readonly Rearrangement[]>;

export function compileModel(imported: Graph, options: CompileOptions): Compilation {
  const { graph: optimized, rearranged } = optimize(imported, options.passes, options.pipeline, options.observe);
  const compiled = compileOptimized(optimized, options.target, options);
  const layouts = new Map(rearranged);
  for (const [name, how] of compiled.layouts) layouts.set(name, [...(layouts.get(name) ?? []), ...how]);
  return { imported, optimized, ...compiled, layouts };
}

/** What follows the passes that the user chose; layouts are those since then. */
export function compileOptimized(
  optimized: Graph,
  target: Target,
  options: LowerOptions = {},
): Omit<Compilation, 'imported' | 'optimized'> {
  const { graph: legal, rearranged: layouts } = runLegalization(optimized, target, options.observe);
  return { legal, layouts, ...lower(legal, target, options) };
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

/** The rewrites that a target cannot do without: its layouts and its element type. Throws a diagnostic for a graph in types that it does not have. */
export function legalization(optimized: Graph, target: Target): readonly PassInvocation[] {
  return [invoke(legalizeLayout), ...(needsFixedPoint(optimized, target) ? [invoke(toFixedPoint, { fraction: target.fractionBits })] : [])];
}

/** Whether the target computes in fixed point only, and the graph does not yet. */
function needsFixedPoint(graph: Graph, target: Target): boolean {
  if (target.datapath !== 'fx16') return false;
  const own = fixed16(target.fractionBits);
  const sides = portSides(graph, isPortable);
  const converted = graph.ops.filter((node) => isReduced(node) && !sides.has(node.name));
  const foreign = converted.find(({ type }) => type.element !== own);
  if (foreign)
    fail(
      'unsupported',
      'legalize/element-type',
      `has the element type ${foreign.type.element}, and ${target.name} computes in ${own} only`,
      {
        place: [`%${foreign.name}`],
        hint: 'leave out the pass that converts, or name another target',
      },
    );
  return converted.length === 0 || PROPERTIES.fixed.violation(graph) !== undefined;
}

export function legalize(optimized: Graph, target: Target, observe: CompileObserver = unobserved): Graph {
  return runLegalization(optimized, target, observe).graph;
}

function runLegalization(optimized: Graph, target: Target, observe: CompileObserver = unobserved): PipelineResult {
  const result = observe('legalize', () => runPipeline(optimized, legalization(optimized, target)));
  const graph = result.graph.with({ stage: 'legal' });
  observe('verify', () => checkGraph(graph));
  return { ...result, graph };
}
