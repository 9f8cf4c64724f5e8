/** Running models with onnxruntime, the reference that nothing here was written by. */
import * as ort from 'onnxruntime-node';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';

export interface OracleTensor {
  readonly type: 'float32';
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** A loaded model, to be released in the end. */
export interface Oracle {
  run(
    feeds: Readonly<Record<string, OracleTensor>>,
  ): Promise<Readonly<Record<string, { readonly dims: readonly number[]; readonly data: unknown }>>>;
  release(): Promise<void>;
}

/** Loads a model to be run on one thread and without onnxruntime's optimizations. */
export async function createOracle(model: Uint8Array): Promise<Oracle> {
  const session = await ort.InferenceSession.create(model, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4,
  });
  return {
    run(feeds) {
      const entries = Object.entries(feeds).map(([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)] as const);
      return session.run(Object.fromEntries(entries));
    },
    release: () => session.release(),
  };
}

/** The f32 outputs of a model by name. */
export async function runOrt(model: Uint8Array, feeds: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
  const oracle = await createOracle(model);
  try {
    const entries = [...feeds].map(
      ([name, value]) => [name, { type: 'float32', dims: value.type.shape, data: value.data as Float32Array }] as const,
    );
    const outputs = await oracle.run(Object.fromEntries(entries));
    return new Map(Object.entries(outputs).map(([name, { dims, data }]) => [name, tensor(tensorType('f32', dims), data as Float32Array)]));
  } finally {
    await oracle.release();
  }
}
