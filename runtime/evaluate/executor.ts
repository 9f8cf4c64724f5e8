/** What executes the batches of an evaluation. */
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import type { EngineName } from '../engine/engine.ts';
import type { SharedProgram } from '../engine/shared-program.ts';
import type { PortData } from '../machine/host.ts';
import type { Machine } from '../machine/machine.ts';
import type { Phases } from './phase-times.ts';
import { UNMEASURED } from './phase-times.ts';

/** Executes requests of some batches, whose inputs stand in a room. */
export interface BatchExecutor {
  /** Room for the inputs of each request that may be under way at once. */
  readonly rooms: readonly Float32Array[];
  /** Most batches of one request. */
  readonly group: number;
  /** The scores of the first batches in a room, which follow each other there and in the result. */
  run(room: number, batches: number): Promise<PortData>;
  /** Ends it, whatever it is at. */
  close(): Promise<void>;
}

/** The names of the ports that an evaluation uses. */
export interface PortNames {
  readonly input: string;
  readonly output: string;
}

/** What an executor must know. */
export interface ExecutorTask {
  readonly engine: EngineName;
  readonly program: Program;
  readonly target: Target;
  readonly ports: PortNames;
  /** Elements that one run of the program takes. */
  readonly batchElements: number;
  /** Batches that there are in all. */
  readonly batches: number;
}

/** Threads that execute batches; one is this thread. No more are started than there are batches, or regions. */
export interface Threads {
  readonly count: number;
  /** Starts one for each region of the shared program but the first, which is taken. They are ended when the evaluation is. */
  start(task: ExecutorTask, shared: SharedProgram): BatchExecutor;
}

/** Runs a machine on the first batches in a room, each from a reset on. */
export function runBatches(
  machine: Machine,
  { ports, batchElements }: ExecutorTask,
  room: Float32Array,
  batches: number,
  phases: Phases<string> = UNMEASURED,
): PortData {
  const results = Array.from({ length: batches }, (_, i) => {
    phases.time('reset', () => machine.reset());
    phases.time('write', () => machine.writeInput(ports.input, room.subarray(i * batchElements, (i + 1) * batchElements)));
    phases.time('run', () => machine.run());
    return phases.time('readBack', () => machine.readOutput(ports.output));
  });
  const [first, ...others] = results;
  if (first === undefined || others.length === 0) return first ?? new Float32Array();
  const elements = results.length * first.length;
  const joined = first instanceof Float32Array ? new Float32Array(elements) : new Int16Array(elements);
  results.forEach((scores, i) => joined.set(scores, i * first.length));
  return joined;
}

/** Batches one after the other, here: the next is read while one executes, unless that is measured. */
export function executeHere(machine: Machine, task: ExecutorTask, phases?: Phases<string>): BatchExecutor {
  const rooms = Array.from({ length: phases ? 1 : 2 }, () => new Float32Array(task.batchElements));
  const run = (room: number, batches: number): PortData => runBatches(machine, task, rooms[room] as Float32Array, batches, phases);
  return { rooms, group: 1, run: (room, batches) => Promise.resolve(run(room, batches)), close: () => Promise.resolve() };
}
