/** One network executed and timed: do its outputs equal the reference's, and what did it execute? */
import { decodeProgram, isIllegal } from '../../isa/codec.ts';
import type { InstructionClass } from '../../isa/fields.ts';
import { recordOf } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import { timingModelOf } from '../../runtime/evaluate/throughput.ts';
import { energyOf } from '../../runtime/machine/energy.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { fromFixed16, toFixed16 } from '../../runtime/numerics/fixed.ts';
import { Arithmetic, DOUBLE, fixedPoint } from './arithmetic.ts';
import type { Vector } from './arithmetic.ts';
import type { Network, NetworkName } from './networks.ts';
import { NETWORKS } from './networks.ts';
import { networkProgram } from './program.ts';

/** Instructions by class. */
export type Mix = Readonly<Record<InstructionClass, number>>;

export function instructionsOf(mix: Mix): number {
  return Object.values(mix).reduce((sum, each) => sum + each, 0);
}

export interface OutputComparison {
  readonly name: string;
  readonly values: Vector;
  /** Elements that are not the fixed-point reference's. */
  readonly differing: number;
  /** The greatest distance from the reference in double precision. */
  readonly error: number;
}

export interface Measurement {
  readonly name: NetworkName;
  readonly network: Network;
  /** In the program. */
  readonly static: Mix;
  /** In the program after the part that only sets registers. */
  readonly body: Mix;
  /** Executed. */
  readonly dynamic: Mix;
  readonly macs: number;
  readonly cycles: number;
  readonly joules: number;
  readonly dramBytes: number;
  readonly outputs: readonly OutputComparison[];
}

/** Assembles, verifies, executes and times a network. Throws where the program is wrong, a Trap where it traps. */
export function measure(name: NetworkName, target: Target): Measurement {
  const network = NETWORKS[name]();
  const { program, body } = networkProgram(name, network.constants, target);
  const machine = new Machine(program, target);
  for (const input of program.inputs)
    machine.writeInput(
      input.name,
      Int16Array.from(network.inputs[input.name] ?? [], (value) => toFixed16(value, target.fractionBits)),
    );
  const timing = timingModelOf(program, target);
  machine.run({ observers: [timing] });
  const expected = network.reference(new Arithmetic(fixedPoint(target.fractionBits)));
  const exact = network.reference(new Arithmetic(DOUBLE));
  const report = timing.report();
  const { dram } = report.activity.bytes;
  return {
    name,
    network,
    static: countClasses(program.code),
    body: countClasses(program.code.subarray(2 * body)),
    dynamic: report.activity.classes,
    macs: report.activity.macs,
    cycles: report.cycles,
    joules: energyOf(report, target).joules,
    dramBytes: dram.read + dram.write,
    outputs: program.outputs.map((output) => {
      const values = Array.from(machine.readOutput(output.name), (raw) => fromFixed16(raw, target.fractionBits));
      return {
        name: output.name,
        values,
        differing: values.filter((value, i) => value !== expected[output.name]?.[i]).length,
        error: values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (exact[output.name]?.[i] ?? NaN))), 0),
      };
    }),
  };
}

function countClasses(code: Uint32Array): Mix {
  const mix: Record<InstructionClass, number> = { transfer: 0, control: 0, matrix: 0, vector: 0, scalar: 0 };
  for (const instruction of decodeProgram(code)) if (!isIllegal(instruction)) mix[recordOf(instruction.mnemonic).class]++;
  return mix;
}
