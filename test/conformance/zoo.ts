/** Whether the networks that ship compile: for every target, in every preset that it may have. */
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { loadTarget, targetNames } from '../../compiler/cli/target.ts';
import { zoo, zooDataset } from '../../compiler/cli/zoo.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { PRESETS } from '../../passes/registry.ts';
import { measuredCalibration, readCalibrationData } from '../../runtime/evaluate/calibration.ts';
import { oneLine } from '../../runtime/report/format.ts';

/** One image: how good the ranges are does not matter here. */
const CALIBRATION_SAMPLES = 1;

export function networks(): readonly string[] {
  return Object.keys(zoo().models);
}

/** A status for each target and preset, under names such as `zoo/lenet-5/cambricon/int8`. */
export async function statusesOfNetwork(network: string): Promise<ReadonlyMap<string, string>> {
  const graph = importedOrReason(network);
  const data = await readCalibrationData(await zooDataset(zoo().models[network]?.dataset ?? '', 'calibration'), CALIBRATION_SAMPLES);
  const calibration = measuredCalibration(data, { target: loadTarget('cambricon') });
  // Presets that ask for the same statistics follow each other.
  return new Map(
    Object.keys(PRESETS).flatMap((preset) =>
      targetsOf(preset).map((name) => {
        const compile = (imported: Graph): unknown =>
          compileModel(imported, { target: loadTarget(name), passes: parsePipeline(preset), pipeline: { calibration } });
        const status = typeof graph === 'string' ? graph : (refusalOf(() => compile(graph)) ?? 'compiled');
        return [`zoo/${network}/${name}/${preset}`, status] as const;
      }),
    ),
  );
}

/** A target of one element type refuses every other. */
function targetsOf(preset: string): readonly string[] {
  const lossy = parsePipeline(preset).some(({ pass }) => pass.meaning === 'lossy');
  return targetNames().filter((name) => !lossy || loadTarget(name).datapath !== 'fx16');
}

function importedOrReason(network: string): Graph | string {
  const graphs: Graph[] = [];
  const refusal = refusalOf(() => graphs.push(loadGraph(findModel(network))));
  return refusal ?? (graphs[0] as Graph);
}

/** Why something cannot be done; undefined where it can. */
function refusalOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    const unsupported = error.diagnostics.every(({ kind }) => kind === 'unsupported');
    return `${unsupported ? 'unsupported' : 'failed'}: ${oneLine(error.diagnostics.map(({ message }) => message).join('; '))}`;
  }
}
