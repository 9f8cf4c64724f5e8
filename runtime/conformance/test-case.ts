/** Test cases in ONNX's own form: a serialised model, and sets of serialised inputs with the outputs that it must give. */
import type { ExternalResolver } from '../../compiler/frontend/tensor.ts';

/** One set of data: `input_N.pb` and `output_N.pb` of a folder `test_data_set_M`, by N. */
export interface DataSet {
  readonly name: string;
  readonly inputs: ReadonlyMap<number, Uint8Array>;
  readonly outputs: ReadonlyMap<number, Uint8Array>;
}

export interface TestCase {
  readonly model: Uint8Array;
  readonly sets: readonly DataSet[];
  /** Reads the files that the model keeps tensors in. */
  readonly resolveExternal?: ExternalResolver;
}

/** A case that is not read yet. `read` throws a `DiagnosticError` where that cannot be done. */
export interface NamedCase {
  readonly name: string;
  readonly read: () => TestCase;
}
