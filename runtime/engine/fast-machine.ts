/** The fast engine: the machine's state in a WebAssembly memory, and fetch loop, checks and kernels inside WebAssembly. */
import type { Space } from '../../isa/fields.ts';
import { SPACES } from '../../isa/fields.ts';
import { instructionCount } from '../../isa/program.ts';
import type { Program } from '../../isa/program.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import { recordOf } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import type { Advance } from '../machine/machine.ts';
import { Machine } from '../machine/machine.ts';
import type { MachineState } from '../machine/state.ts';
import { BINARY } from './binary.ts';
import { InstructionTimes } from './instruction-times.ts';
import * as layout from './layout.ts';
import type { EngineOptions } from './plain-machine.ts';
import { recordsBytes, SPACE_CODES } from './records.ts';
import type { Home, MachinePlaces } from './shared-program.ts';
import { machinePlaces, shareVerified } from './shared-program.ts';

/** What the compiled `assembly/index.ts` exports. */
interface Engine {
  configure(
    records: number,
    instructions: number,
    scratch: number,
    fraction: number,
    constants: number,
    constantsStart: number,
    constantsBytes: number,
    mostRows: number,
  ): void;
  run(pc: number, budget: number): number;
  runTimed(pc: number, budget: number): number;
  perform(pc: number): number;
  configureTimes(table: number, readingSeconds: number): void;
  clockSeconds(readings: number): number;
}

/** Budgets are unlimited from here on; a double holds the number exactly. */
const UNLIMITED = 2 ** 53;

/** Stands for the clock where nothing is measured. */
const noClock = (): number => 0;

let compiled: WebAssembly.Module | undefined;

function engineModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(BINARY), (character) => character.charCodeAt(0)));
  return compiled;
}

/**
 * A machine as `Machine` is one, with the same results bit for bit, traps included, and much faster. Instructions that trap, and forms that are
 * rare, are executed by the plain engine on the same state. Runs with observers are the plain engine's, with the kernels of this one.
 */
export class FastMachine extends Machine {
  readonly #engine: Engine;
  /** The region of this machine. */
  readonly #view: DataView;
  /** The records, which all machines of the program read. */
  readonly #records: Uint8Array;
  readonly #isShared: boolean;
  readonly #times: InstructionTimes | undefined;

  /** Alone unless given a home. Throws a MachineError where the program does not verify for the target or needs too much memory. */
  constructor(program: Program, target: Target, options: EngineOptions = {}, home?: Home) {
    const { times } = options;
    let shared = home?.shared;
    let places: MachinePlaces | undefined;
    super(program, target, options, (memoryLayout) => {
      shared ??= shareVerified(program, memoryLayout, 1, times ? InstructionTimes.tableBytes(instructionCount(program)) : 0);
      places = machinePlaces({ shared, index: home?.index ?? 0 }, program, memoryLayout);
      return places.storage;
    });
    if (shared === undefined || places === undefined) throw new TypeError('the machine asked for no storage');
    const { region, records } = places;
    const { memory } = shared;
    const imports = { env: { memory }, region: { region }, clock: { now: times?.now ?? noClock } };
    const instance = new WebAssembly.Instance(engineModule(), imports);
    this.#engine = instance.exports as unknown as Engine;
    this.#view = new DataView(memory.buffer, region);
    this.#records = new Uint8Array(memory.buffer, records, recordsBytes(instructionCount(program)));
    this.#isShared = shared.machines > 1;
    this.#configure(places);
    this.#times = times;
    if (times !== undefined) this.#measure(times, places);
  }

  protected override advance(limits: Advance): void {
    // Breaks are set in the records, which other machines read too.
    if (limits.observers.length > 0 || (this.#isShared && limits.breaks !== undefined)) return super.advance(limits);
    const { pc } = this.state;
    const start = this.#times?.start() ?? 0;
    if (this.#run(limits)) return;
    super.advance(limits);
    this.#times?.endPlain(pc, start);
  }

  /** Observers need the plain engine's checks and accesses, but not its loops over elements. */
  protected override perform(instruction: AnyInstruction, execute: (state: MachineState, instruction: AnyInstruction) => void): void {
    const { state } = this;
    this.#view.setUint32(layout.RANDOM, state.random, true);
    if (recordOf(instruction.mnemonic).accesses.length === 0 || this.#engine.perform(state.pc) === 0) super.perform(instruction, execute);
    else state.random = this.#view.getUint32(layout.RANDOM, true);
  }

  #configure({ storage, records, scratch }: MachinePlaces): void {
    const { memory, state } = this;
    const { base, size } = memory.layout;
    this.#view.setInt32(layout.REGISTERS + 4 * layout.ONE, 1, true);
    for (const space of SPACES) {
      const at = spaceOf(space);
      this.#view.setUint32(at, storage.own + base[space], true);
      this.#view.setUint32(at + layout.SPACE_SIZE, size[space], true);
    }
    const { start, bytes } = memory.constants;
    const mostRows = Math.floor(size.vector / 2);
    const instructions = instructionCount(this.program);
    this.#engine.configure(records, instructions, scratch, state.fraction, storage.constants, start, bytes, mostRows);
  }

  /** The table of times stands behind the region. */
  #measure(times: InstructionTimes, { end }: MachinePlaces): void {
    times.attach(this.#view, end - this.#view.byteOffset, (readings) => this.#engine.clockSeconds(readings));
    this.#engine.configureTimes(end, times.readingSeconds);
  }

  /** Executes what the engine can; false if that is nothing. */
  #run({ maxInstructions, breaks }: Advance): boolean {
    const { state } = this;
    if (!this.#giveIntervals()) return false;
    this.#view.setUint32(layout.RANDOM, state.random, true);
    const breakpoints = this.#setBreaks(breaks);
    const budget = Math.min(maxInstructions, UNLIMITED) - state.executed;
    state.pc = this.#times ? this.#engine.runTimed(state.pc, budget) : this.#engine.run(state.pc, budget);
    for (const [at, opcode] of breakpoints) this.#records[at] = opcode;
    const executed = this.#view.getFloat64(layout.EXECUTED, true);
    state.executed += executed;
    state.random = this.#view.getUint32(layout.RANDOM, true);
    this.#takeIntervals();
    return executed > 0;
  }

  /** Lets the engine leave at breaks; the bytes that stood there, by place in the records. */
  #setBreaks(breaks: ReadonlySet<number> | undefined): readonly (readonly [at: number, opcode: number])[] {
    if (breaks === undefined) return [];
    const length = instructionCount(this.program);
    return [...breaks]
      .filter((index) => Number.isInteger(index) && index >= 0 && index < length)
      .map((index) => {
        const at = index * layout.RECORD_BYTES;
        const opcode = this.#records[at] as number;
        this.#records[at] = layout.LEAVE;
        return [at, opcode] as const;
      });
  }

  /** Hands over which bytes are initialised; false where there are more intervals than the engine has room for. */
  #giveIntervals(): boolean {
    const { initialised } = this.memory;
    for (const space of SPACES) {
      if (initialised[space].size > layout.MAX_INTERVALS) return false;
      const starts = intervalsOf(space);
      let count = 0;
      for (const [start, end] of initialised[space]) {
        this.#view.setUint32(starts + 4 * count, start, true);
        this.#view.setUint32(starts + 4 * (layout.MAX_INTERVALS + count), end, true);
        count++;
      }
      this.#view.setUint32(spaceOf(space) + layout.SPACE_INTERVALS, count, true);
    }
    return true;
  }

  #takeIntervals(): void {
    const { initialised } = this.memory;
    for (const space of SPACES) {
      const set = initialised[space];
      const starts = intervalsOf(space);
      const count = this.#view.getUint32(spaceOf(space) + layout.SPACE_INTERVALS, true);
      set.clear();
      for (let i = 0; i < count; i++)
        set.add(this.#view.getUint32(starts + 4 * i, true), this.#view.getUint32(starts + 4 * (layout.MAX_INTERVALS + i), true));
    }
  }
}

const spaceOf = (space: Space): number => layout.SPACES + SPACE_CODES[space] * layout.SPACE_BYTES;
const intervalsOf = (space: Space): number => layout.INTERVALS + SPACE_CODES[space] * 8 * layout.MAX_INTERVALS;
