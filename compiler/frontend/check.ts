/** What a model is made of, and whether the compiler takes it. */
import { fail } from '../ir/diagnostic.ts';
import type { OnnxModel } from './model.ts';
import { decodeModel } from './model.ts';
import { OPSETS, importerOf } from './operators.ts';

/** An operator of a model. */
export interface OperatorUse {
  /** '' for ONNX's own. */
  readonly domain: string;
  readonly operator: string;
  /** How many nodes apply it. */
  readonly count: number;
  /** Why it cannot be imported, a clause; undefined when it can be, as far as the operator alone tells. */
  readonly unsupported: string | undefined;
}

/** The operators of a serialised model in the order of their first use. Throws `DiagnosticError` when it is no model or of a foreign opset. */
export function listOperators(bytes: Uint8Array): readonly OperatorUse[] {
  const model = decodeModel(bytes);
  return operatorsOf(model, requireOpset(model));
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
export function requireOperators(model: OnnxModel, opset: number): void {
  const missing = operatorsOf(model, opset).filter(({ unsupported }) => unsupported !== undefined);
  if (missing.length === 0) return;
  const names = missing.map(({ domain, operator, count }) => `${domain && `${domain}.`}${operator} ×${count}`);
  fail('unsupported', 'onnx/unsupported-op', `operators are not supported: ${names.join(', ')}`);
}

function operatorsOf({ graph }: OnnxModel, opset: number): readonly OperatorUse[] {
  const uses = new Map<string, OperatorUse>();
  for (const { domain, op } of graph.nodes) {
    const key = `${domain}:${op}`;
    const importer = importerOf(domain, op, opset);
    const unsupported = typeof importer === 'string' ? importer : undefined;
    uses.set(key, { domain, operator: op, count: (uses.get(key)?.count ?? 0) + 1, unsupported });
  }
  return [...uses.values()];
}
