/** The engines that execute programs. They give the same results bit for bit. */
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import type { Machine } from '../machine/machine.ts';
import { FastMachine } from './fast-machine.ts';
import type { EngineOptions } from './plain-machine.ts';
import { PlainMachine } from './plain-machine.ts';
import type { Home } from './shared-program.ts';

/** `reference` is the plain one, which defines the meaning of instructions. */
export const ENGINES = { fast: FastMachine, reference: PlainMachine } as const;
export type EngineName = keyof typeof ENGINES;
export const ENGINE_NAMES = Object.keys(ENGINES) as readonly EngineName[];
export const DEFAULT_ENGINE: EngineName = 'fast';

/** A machine with a program, in a home or alone. Throws a MachineError where the program does not verify for the target or needs too much memory. */
export function createMachine(engine: EngineName, program: Program, target: Target, options?: EngineOptions, home?: Home): Machine {
  return new ENGINES[engine](program, target, options, home);
}
