/** Test cases in ONNX's form, made of models and arrays. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NamedCase } from '../../runtime/conformance/test-case.ts';
import type { ModelSpec, TensorSpec } from './onnx-builder.ts';
import { modelBytes, tensorBytes } from './onnx-builder.ts';

type Serialised = TensorSpec | Uint8Array;

export interface CaseSpec {
  readonly model: ModelSpec | Uint8Array;
  readonly sets: readonly { readonly inputs: readonly Serialised[]; readonly outputs: readonly Serialised[] }[];
}

const bytesOf = (value: Serialised): Uint8Array => (value instanceof Uint8Array ? value : tensorBytes(value));
const modelOf = ({ model }: CaseSpec): Uint8Array => (model instanceof Uint8Array ? model : modelBytes(model));

/** A case in memory. */
export function caseOf(spec: CaseSpec, name = 'case'): NamedCase {
  const numbered = (values: readonly Serialised[]): ReadonlyMap<number, Uint8Array> =>
    new Map(values.map((value, n) => [n, bytesOf(value)]));
  const sets = spec.sets.map(({ inputs, outputs }, i) => ({
    name: `test_data_set_${i}`,
    inputs: numbered(inputs),
    outputs: numbered(outputs),
  }));
  return { name, read: () => ({ model: modelOf(spec), sets }) };
}

/** Writes a case as a folder. */
export function writeCase(folder: string, spec: CaseSpec): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), modelOf(spec));
  for (const [i, { inputs, outputs }] of spec.sets.entries()) {
    const set = join(folder, `test_data_set_${i}`);
    mkdirSync(set);
    inputs.forEach((value, n) => writeFileSync(join(set, `input_${n}.pb`), bytesOf(value)));
    outputs.forEach((value, n) => writeFileSync(join(set, `output_${n}.pb`), bytesOf(value)));
  }
}
