/** Threads of the built program, in a process of its own. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/cli.ts';

/** Evaluates a program that divides a number by each sample, here and in two threads, and prints what comes out or why nothing does. */
const SCRIPT = `
import { assemble } from './isa/assembly.js';
import { parseTarget } from './isa/target.js';
import { evaluateProgram } from './runtime/evaluate/evaluate.js';
import { createPool } from './runtime/platform/pool.js';
import { readFileSync } from 'node:fs';

const target = parseTarget(JSON.parse(readFileSync('../isa/targets/cambricon.json', 'utf8')), 'cambricon');
const empty = { start: 128, bytes: 0 };
const port = (name, address) => ({ name, shape: [2], element: 'f32', address, bytes: 8, layout: [0], stored: 'f32', via: [] });
const program = {
  target: 'cambricon',
  code: assemble('SLOAD $1, $0, #0\\nSMOVE $2, #7\\nSDIV $3, $2, $1\\nSSTORE $1, $0, #64\\nSSTORE $2, $0, #68').code,
  constants: new Uint8Array(),
  memory: { constants: empty, inputs: { start: 0, bytes: 64 }, outputs: { start: 64, bytes: 64 }, activations: empty, spill: empty },
  inputs: [port('x', 0)],
  outputs: [port('y', 64)],
  debug: [{ first: 2, count: 1, tile: 'divide', node: 'quotient', origin: ['quotient'] }],
  maxInstructions: 100,
};
const data = (zero) => ({
  name: 'numbers',
  samples: 200,
  classes: 1,
  shape: [2],
  preprocess: undefined,
  read: async (i) => ({ elements: Float32Array.of(i === zero ? 0 : i + 1, 1), stored: Uint8Array.of(i) }),
  label: () => 0,
  place: String,
});
const subject = { model: 'm', passes: '', macs: 1, programBytes: 1, compileSeconds: 0 };
const outcomes = [];
for (const engine of ['fast', 'reference'])
  for (const count of [1, 2])
    for (const zero of [-1, 0, 150]) {
      let pooled = false;
      const threads = { count, start: (task, shared) => ((pooled = true), createPool(task, shared)) };
      const result = await evaluateProgram(program, target, data(zero), subject, { now: () => 0, engine, threads }).catch(({ name, message }) => ({ name, message }));
      outcomes.push({ count, zero, pooled, result });
    }
console.log(JSON.stringify(outcomes));
`;

interface Outcome {
  readonly count: number;
  readonly zero: number;
  readonly pooled: boolean;
  readonly result: { readonly name?: string; readonly message?: string; readonly samples?: number };
}

describe('a pool of threads', () => {
  it('gives what one thread gives, traps and their messages included, on either engine', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', SCRIPT], { cwd: `${ROOT}dist` });
    const outcomes = JSON.parse(stdout) as readonly Outcome[];
    expect(outcomes).toHaveLength(12);
    for (const { count, zero, pooled, result } of outcomes) {
      expect(pooled).toBe(count > 1);
      if (zero < 0) expect(result.samples).toBe(200);
      else
        expect(result.message).toBe(
          "divide-by-zero trap at instruction 2, of 'quotient': the divisor is zero; SDIV $3, $2, $1 with $3=0 $2=7 $1=0",
        );
      expect(result).toEqual(outcomes.find((other) => other.zero === zero)?.result);
    }
  });
});
