/** Who takes part in `bench:peers`: our engine in each precision, onnxruntime-web and onnxruntime-node, one thread each, on models of one f32 input. */
import * as ortNode from 'onnxruntime-node';
import * as ortWeb from 'onnxruntime-web';
import { loadTarget } from '../compiler/cli/target.ts';
import { importOnnx } from '../compiler/frontend/import.ts';
import { elementCount } from '../compiler/ir/types.ts';
import type { CompilePhase } from '../compiler/lower/phases.ts';
import { compileModel } from '../compiler/pipeline.ts';
import { parsePipeline } from '../passes/pipeline-text.ts';
import { DEFAULT_SEED, uniformF32, xorshift32 } from '../runtime/numerics/random.ts';
import { FastMachine } from '../runtime/engine/fast-machine.ts';
import type { CalibrationData } from '../runtime/evaluate/calibration.ts';
import { measuredCalibration } from '../runtime/evaluate/calibration.ts';
import type { Phases } from '../runtime/evaluate/phase-times.ts';
import { UNMEASURED } from '../runtime/evaluate/phase-times.ts';
import { REDUCED_PRESETS } from './report.ts';

/** A way to compile a model for `TARGET`. */
export interface Variant {
  readonly precision: string;
  readonly passes: string;
}

export const TARGET = 'cambricon';
export const F32: Variant = { precision: 'f32', passes: 'O1' };
/** Without int8-naive, whose programs differ from those of int8 in their constants only. */
export const REDUCED: readonly Variant[] = REDUCED_PRESETS.filter((preset) => preset !== 'int8-naive').map((preset) => ({
  precision: preset,
  passes: preset,
}));

export interface Input {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Computes all outputs for an input. */
export type Run = (data: Float32Array) => Promise<void> | void;

/** Phases of our loading: those of the compile, and making the machine that executes the program. */
export type LoadPhase = CompilePhase | 'machine';

/** Makes a model ready to run. Phases are ours; others tell none. */
export type Load = (model: Uint8Array, input: Input, phases?: Phases<LoadPhase>) => Promise<Run> | Run;

function compiled({ passes }: Variant): Load {
  const target = loadTarget(TARGET);
  return (model, input, phases = UNMEASURED) => {
    // Time does not depend on ranges: one sample is enough for them.
    const pipeline = { calibration: measuredCalibration(oneSample(input), { target }) };
    const graph = phases.time('import', () => importOnnx(model));
    const observe = <T>(phase: CompilePhase, work: () => T): T => phases.time(phase, work);
    const { program } = compileModel(graph, { target, passes: parsePipeline(passes), pipeline, observe });
    const machine = phases.time('machine', () => new FastMachine(program, target));
    return (data) => {
      machine.reset();
      machine.writeInput(input.name, data);
      machine.run();
      for (const { name } of program.outputs) machine.readOutput(name);
    };
  };
}

const ortWebSession: Load = async (model, { name, shape }) => {
  ortWeb.env.wasm.numThreads = 1;
  const session = await ortWeb.InferenceSession.create(model, { executionProviders: ['wasm'] });
  return async (data) => {
    await session.run({ [name]: new ortWeb.Tensor('float32', data, shape) });
  };
};

const ortNodeSession: Load = async (model, { name, shape }) => {
  const session = await ortNode.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 });
  return async (data) => {
    await session.run({ [name]: new ortNode.Tensor('float32', data, shape) });
  };
};

/** Names of contenders; ours is that of a variant. */
export const ORT_WEB = 'onnxruntime-web';
export const ORT_NODE = 'onnxruntime-node';
export const engineName = ({ precision }: Variant): string => `engine ${precision}`;

export const CONTENDERS: ReadonlyMap<string, Load> = new Map([
  ...[F32, ...REDUCED].map((variant) => [engineName(variant), compiled(variant)] as const),
  [ORT_WEB, ortWebSession],
  [ORT_NODE, ortNodeSession],
]);

/** An image that is the same in every run. */
export function randomImage({ shape }: Input): Float32Array {
  let state = DEFAULT_SEED;
  return Float32Array.from({ length: elementCount(shape) }, () => uniformF32((state = xorshift32(state))));
}

function oneSample(input: Input): CalibrationData {
  return { name: 'random', shape: input.shape, samples: [randomImage(input)], sha256: '', preprocess: null, place: () => 'random' };
}

export function inputOf(model: Uint8Array): Input {
  const [input] = importOnnx(model).inputs;
  if (!input) throw new Error('the model has no input');
  return { name: input.name, shape: input.type.shape };
}
