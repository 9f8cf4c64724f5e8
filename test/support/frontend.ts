/** What tests of the importer share. */
import type { ImportOptions } from '../../compiler/frontend/import.ts';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { printGraph } from '../../compiler/ir/text.ts';
import type { ModelSpec } from './onnx-builder.ts';
import { modelBytes } from './onnx-builder.ts';

export function importSpec(spec: ModelSpec, options: ImportOptions = {}): Graph {
  return importOnnx(modelBytes(spec), options);
}

/** The ops and outputs of an imported model in text form, one a line, without their origins. */
export function importedText(spec: ModelSpec, options: ImportOptions = {}): string {
  const lines = printGraph(importSpec(spec, options)).text.split('\n');
  const shown = lines.filter((line) => line.startsWith('  ') && !/ = (input|constant)/.test(line));
  return shown.map((line) => line.trim().replace(/ from \[.*\]$/, '')).join('\n');
}

/** `kind code: one-line message` of the diagnostics that `run` fails with. */
export function diagnosticOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return error.diagnostics.map(({ kind, code }) => `${kind} ${code}: ${error.message}`).join('\n');
  }
  return 'no error';
}
