/** A model of a test case, made ready to run: for the evaluator, or compiled for a target. */
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import type { Lowered } from '../../compiler/lower/lower.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { legalize, optimize } from '../../compiler/pipeline.ts';
import type { Port } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import type { CalibrationProvider } from '../../passes/calibration.ts';
import type { PassInvocation } from '../../passes/pass.ts';
import type { EngineName } from '../engine/engine.ts';
import { createMachine } from '../engine/engine.ts';
import type { PlacedSample } from '../evaluate/calibration.ts';
import type { PortData } from '../machine/host.ts';
import { isQuantized } from '../numerics/element.ts';
import { decoderOf, encoderOf } from '../numerics/store.ts';
import { numbersOf } from './judge.ts';

export interface ExecuteOptions {
  /** What the model is compiled for; the reference evaluator runs it where there is none. */
  readonly target?: Target;
  readonly passes: readonly PassInvocation[];
  readonly engine: EngineName;
  /** Gives passes their statistics of the case's inputs. */
  readonly calibrate: (samples: readonly PlacedSample[]) => CalibrationProvider;
  /** Called with what each set of data runs on before its outputs are judged; what it throws counts as a crash. */
  readonly onCompiled?: (compiled: Lowered & { readonly legal: Graph }, inputs: ReadonlyMap<string, Tensor>) => void;
}

export interface Executable {
  /** Whether the passes left no operation: all outputs are inputs or constants. */
  readonly folded: boolean;
  /** The elements of every output, in the model's order. */
  run(inputs: ReadonlyMap<string, Tensor>): readonly (readonly number[])[];
}

/** Graphs that a diagnostic may be about are added to `graphs` as they are made. Throws `DiagnosticError`, and `MachineError` for too large a program. */
export function prepare(imported: Graph, samples: readonly PlacedSample[], graphs: Graph[], options: ExecuteOptions): Executable {
  const { target, passes, engine, calibrate, onCompiled } = options;
  const optimized = optimize(imported, passes, { calibration: calibrate(samples) }).graph;
  graphs.push(optimized);
  const folded = optimized.ops.length === 0;
  if (!target) return { folded, run: (inputs) => evaluated(optimized, inputs) };
  const legal = legalize(optimized, target);
  graphs.push(legal);
  const lowered = lower(legal, target);
  const machine = createMachine(engine, lowered.program, target);
  const run = (inputs: ReadonlyMap<string, Tensor>): readonly (readonly number[])[] => {
    onCompiled?.({ ...lowered, legal }, inputs);
    machine.reset();
    // Inputs that nothing reads may have no port; the data of a port have its element type.
    for (const { name } of lowered.program.inputs) machine.writeInput(name, inputs.get(name)?.data as PortData);
    machine.run();
    return imported.outputs.map(({ name, value }) => {
      const port = portOf(lowered.program.outputs, name);
      return portNumbers(machine.readOutput(name), port, imported.node(value).type);
    });
  };
  return { folded, run };
}

function evaluated(graph: Graph, inputs: ReadonlyMap<string, Tensor>): readonly (readonly number[])[] {
  const values = evaluateGraph(graph, inputs);
  return graph.outputs.map(({ value }) => {
    const found = values.get(value);
    if (!found) throw new Error(`the evaluator gave no %${value}`);
    return numbersOf(found);
  });
}

function portOf(ports: readonly Port[], name: string): Port {
  const port = ports.find((each) => each.name === name);
  if (!port) throw new Error(`the program has no output '${name}'`);
  return port;
}

/** What the model's own output holds: of a quantized one, which a port gives as real numbers, the integers. */
function portNumbers(data: PortData, { element }: Port, { element: own }: TensorType): readonly number[] {
  const numbers = Array.from(data, decoderOf(element));
  return isQuantized(own) ? numbers.map(encoderOf(own)) : numbers;
}
