/**
 * What it takes one contender to load a model: compiling, or creating a session. In a process of its own, so that the first load is cold: nothing is
 * compiled just in time and no WebAssembly is there yet. The bytes of the model are in memory. `peers.ts` starts it.
 */
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { PhaseTimes } from '../runtime/evaluate/phase-times.ts';
import { monotonicSeconds, readFile } from '../runtime/platform/node.ts';
import type { Input, Load, LoadPhase } from './contenders.ts';
import { CONTENDERS } from './contenders.ts';

/** Loads after the first one. */
const WARM_LOADS = 7;

export interface LoadTime {
  readonly milliseconds: number;
  /** Where they went, in milliseconds. */
  readonly phases: Readonly<Partial<Record<LoadPhase, number>>>;
}

export interface Loading {
  /** The first load of a process. */
  readonly cold: LoadTime;
  /** The median of the loads after it. */
  readonly warm: LoadTime;
}

const rounded = (x: number): number => Number(x.toPrecision(4));

async function once(load: Load, model: Uint8Array, input: Input): Promise<LoadTime> {
  const phases = new PhaseTimes<LoadPhase>(monotonicSeconds);
  const start = monotonicSeconds();
  await load(model, input, phases);
  const seconds = monotonicSeconds() - start;
  return {
    milliseconds: rounded(1000 * seconds),
    phases: Object.fromEntries(phases.times.map(({ phase, seconds: each }) => [phase, rounded(1000 * each)])),
  };
}

/** Measures in a new process. The input is told, because to find it is to import the model, which would warm our importer. */
export function measureLoading(contender: string, path: string, input: Input): Loading {
  const command = [...process.execArgv, fileURLToPath(import.meta.url), contender, path, JSON.stringify(input)];
  return JSON.parse(execFileSync(process.execPath, command, { encoding: 'utf8' })) as Loading;
}

async function main(contender: string, path: string, input: Input): Promise<void> {
  const load = CONTENDERS.get(contender);
  if (!load) throw new Error(`there is no contender ${contender}`);
  const model = readFile(path);
  const loads: LoadTime[] = [];
  for (let i = 0; i <= WARM_LOADS; i++) loads.push(await once(load, model, input));
  const [cold, ...warm] = loads;
  const median = warm.sort((a, b) => a.milliseconds - b.milliseconds)[WARM_LOADS >> 1];
  process.stdout.write(JSON.stringify({ cold, warm: median }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [contender = '', path = '', input = ''] = process.argv.slice(2);
  await main(contender, path, JSON.parse(input) as Input);
}
