/** Whether a model can be compiled for a target, operator by operator. */
import type { PipelineOptions } from '../../passes/manager.ts';
import type { PassInvocation } from '../../passes/pass.ts';
import type { Target } from '../../isa/target.ts';
import { operatorOf, operatorsByNode, qualifiedOperator } from '../frontend/attribution.ts';
import { listOperators } from '../frontend/check.ts';
import { decodeModel } from '../frontend/model.ts';
import type { Diagnostic } from '../ir/diagnostic.ts';
import { DiagnosticError, printDiagnostic } from '../ir/diagnostic.ts';
import type { Graph } from '../ir/graph.ts';
import { lower } from '../lower/lower.ts';
import { legalize, optimize } from '../pipeline.ts';
import type { Binding, ModelSource } from './model.ts';
import { loadGraph, readOnnx } from './model.ts';

/** One operator of a model: ONNX's for an ONNX file, the graph's for a text. */
export interface OperatorCheck {
  readonly operator: string;
  readonly count: number;
  readonly imported: boolean;
  /** Undefined where the model cannot be imported, so that nobody knows. */
  readonly compiled: boolean | undefined;
  /** The first reason why it is not. */
  readonly reason?: string;
}

export interface ModelCheck {
  readonly compilable: boolean;
  readonly operators: readonly OperatorCheck[];
  /** Reasons that belong to no operator. */
  readonly other: readonly string[];
}

interface Operators {
  readonly counts: ReadonlyMap<string, number>;
  /** Why an operator cannot be imported. */
  readonly refused: ReadonlyMap<string, string>;
  /** Operator by the name of its node. */
  readonly byNode: ReadonlyMap<string, string>;
}

/** Tries to compile. Throws what is wrong with the file itself; what is not supported is in the result. */
export function checkModel(
  source: ModelSource,
  target: Target,
  passes: readonly PassInvocation[],
  options: PipelineOptions,
  binding: Binding = {},
): ModelCheck {
  const operators = source.form === 'onnx' ? onnxOperators(readOnnx(source)) : graphOperators(loadGraph(source, binding));
  if (operators.refused.size > 0) return summarise(operators, undefined);
  const graphs: Graph[] = [];
  const found = unsupportedBy(() => {
    const imported = loadGraph(source, binding);
    graphs.push(imported);
    const optimized = optimize(imported, passes, options).graph;
    graphs.push(optimized);
    const legal = legalize(optimized, target);
    graphs.push(legal);
    lower(legal, target);
  });
  return summarise(operators, { graphs, found });
}

function onnxOperators(bytes: Uint8Array): Operators {
  const uses = listOperators(bytes);
  return {
    counts: new Map(uses.map(({ domain, operator, count }) => [qualifiedOperator(domain, operator), count])),
    refused: new Map(
      uses.flatMap(({ domain, operator, unsupported }) =>
        unsupported === undefined ? [] : [[qualifiedOperator(domain, operator), unsupported]],
      ),
    ),
    byNode: operatorsByNode(decodeModel(bytes).graph),
  };
}

function graphOperators(graph: Graph): Operators {
  const counts = new Map<string, number>();
  for (const { op } of graph.ops) counts.set(op, (counts.get(op) ?? 0) + 1);
  return { counts, refused: new Map(), byNode: new Map(graph.ops.map(({ name, op }) => [name, op])) };
}

/** The diagnostics of a compile that fails for something that is not supported. */
function unsupportedBy(compile: () => void): readonly Diagnostic[] {
  try {
    compile();
    return [];
  } catch (error) {
    if (error instanceof DiagnosticError && error.diagnostics.every(({ kind }) => kind === 'unsupported')) return error.diagnostics;
    throw error;
  }
}

interface Compiled {
  readonly graphs: readonly Graph[];
  readonly found: readonly Diagnostic[];
}

function summarise({ counts, refused, byNode }: Operators, compiled: Compiled | undefined): ModelCheck {
  const reasons = new Map<string, string>();
  const other: string[] = [];
  for (const diagnostic of compiled?.found ?? []) {
    const named = operatorOf(diagnostic, byNode, compiled?.graphs ?? []);
    const reason = printDiagnostic(diagnostic);
    if (named === undefined) other.push(reason);
    else if (!reasons.has(named)) reasons.set(named, reason);
  }
  const complete = compiled !== undefined && compiled.found.length === 0;
  const imported = compiled !== undefined && compiled.graphs.length > 0;
  const operators = [...counts].map(([operator, count]): OperatorCheck => {
    const reason = refused.get(operator) ?? reasons.get(operator);
    return {
      operator,
      count,
      imported: !refused.has(operator) && (imported || !reasons.has(operator)),
      compiled: imported ? !reasons.has(operator) : undefined,
      ...(reason !== undefined && { reason }),
    };
  });
  return { compilable: complete, operators, other };
}
