/** What a model is made of, and whether the compiler takes it. */
import { fail } from '../ir/diagnostic.ts';
import type { OnnxModel } from './model.ts';
import { decodeModel } from './model.ts';
import { OPSETS, importerOf } from './operators.ts';
import type { NamedNode } from './order.ts';
import { orderNodes } from './order.ts';
import { isEvaluated, knownNodes } from './shape-arithmetic.ts';

/** An operator of a model. */
export interface OperatorUse {
  /** '' for ONNX's own. */
  readonly domain: string;
  readonly operator: string;
  /** How many nodes apply it. */
  readonly count: number;
  /** How many of them cannot be imported, as far as the operator and what is known of its operands tell. */
  readonly refused: number;
  /** Why those cannot be, a clause. */
  readonly unsupported: string | undefined;
}

/** The operators of a serialised model in the order of their first use. Throws `DiagnosticError` when it is no model or of a foreign opset. */
export function listOperators(bytes: Uint8Array): readonly OperatorUse[] {
  const model = decodeModel(bytes);
  const opset = requireOpset(model);
  const nodes = orderNodes(model.graph);
  return operatorsOf(nodes, knownNodes(model.graph, nodes), opset);
}

/** The version of ONNX's own operator set that a model is written in, if the importer knows it. */
export function requireOpset(model: OnnxModel): number {
  // A model of foreign operators alone need not say, and is refused for those.
  const foreign = model.graph.nodes.length > 0 && model.graph.nodes.every(({ domain }) => domain !== '');
  const opset = model.opsets.get('') ?? (foreign ? OPSETS.last : undefined);
  if (opset === undefined) return fail('invalid', 'onnx/opset', "the model does not say which version of ONNX's operators it uses");
  if (opset >= OPSETS.first && opset <= OPSETS.last) return opset;
  return fail('unsupported', 'onnx/opset', `opset ${opset} is not supported, ${OPSETS.first} to ${OPSETS.last} are`, {
    hint: 'convert the model with onnx.version_converter',
  });
}

/** Fails with all operators that cannot be imported. */
export function requireOperators(nodes: readonly NamedNode[], known: ReadonlySet<NamedNode>, opset: number): void {
  const missing = operatorsOf(nodes, known, opset).filter(({ unsupported }) => unsupported !== undefined);
  if (missing.length === 0) return;
  const namesOf = (uses: readonly OperatorUse[]): string =>
    uses.map(({ domain, operator, refused }) => `${domain && `${domain}.`}${operator} ×${refused}`).join(', ');
  const [computed, none] = [true, false].map((is) => namesOf(missing.filter(({ unsupported }) => (unsupported === KNOWN_ONLY) === is)));
  const messages = [
    ...(none ? [`operators are not supported: ${none}`] : []),
    ...(computed ? [`operators are ${KNOWN_ONLY}: ${computed}`] : []),
  ];
  fail('unsupported', 'onnx/unsupported-op', messages.join('; '));
}

const KNOWN_ONLY = 'only supported on values that are known at compile time';

function operatorsOf(nodes: readonly NamedNode[], known: ReadonlySet<NamedNode>, opset: number): readonly OperatorUse[] {
  const uses = new Map<string, OperatorUse>();
  for (const named of nodes) {
    const { domain, op } = named.node;
    const key = `${domain}:${op}`;
    const { count, refused, unsupported } = uses.get(key) ?? { count: 0, refused: 0, unsupported: undefined };
    const reason = known.has(named) ? undefined : refusal(domain, op, opset);
    uses.set(key, {
      domain,
      operator: op,
      count: count + 1,
      refused: refused + (reason === undefined ? 0 : 1),
      unsupported: reason ?? unsupported,
    });
  }
  return [...uses.values()];
}

/** Why a node that is not evaluated at import cannot be imported, or undefined. */
function refusal(domain: string, operator: string, opset: number): string | undefined {
  const importer = importerOf(domain, operator, opset);
  if (typeof importer !== 'string') return undefined;
  return isEvaluated(domain, operator) ? KNOWN_ONLY : importer;
}
