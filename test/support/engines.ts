/** Both engines, for tests that hold for each. */
import { expect } from 'vitest';
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import { FastMachine } from '../../runtime/engine/fast-machine.ts';
import type { Advance, MachineOptions } from '../../runtime/machine/machine.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { snapshot } from './machine.ts';

/** A fast machine that counts how often it was entered; what it leaves to the plain engine costs one more each. */
export class CountingMachine extends FastMachine {
  entries = 0;

  protected override advance(limits: Advance): void {
    this.entries++;
    super.advance(limits);
  }
}

export const ENGINES = {
  reference: (program: Program, target: Target, options?: MachineOptions): Machine => new Machine(program, target, options),
  fast: (program: Program, target: Target, options?: MachineOptions): Machine => new CountingMachine(program, target, options),
} as const;
export type EngineName = keyof typeof ENGINES;
export const ENGINE_NAMES = Object.keys(ENGINES) as readonly EngineName[];

/** Expects all state of two machines to be the same. */
export function expectSameState(actual: Machine, expected: Machine): void {
  const [a, b] = [snapshot(actual), snapshot(expected)];
  expect(a.rest).toBe(b.rest);
  expect(Buffer.compare(a.bytes, b.bytes)).toBe(0);
}
