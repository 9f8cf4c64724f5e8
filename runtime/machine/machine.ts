/** The plain engine: executes a verified program one instruction at a time and is obviously right. Values only; it knows no time. */
import type { BoundAccesses, RegisterReader, ResolvedAccess } from '../../isa/accesses.ts';
import { bindAccesses, resolveBound } from '../../isa/accesses.ts';
import { decodeProgram, isIllegal } from '../../isa/codec.ts';
import type { Space } from '../../isa/fields.ts';
import type { Port, Program } from '../../isa/program.ts';
import { sourceOf } from '../../isa/program.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import { verifyProgram } from '../../isa/verify.ts';
import { DEFAULT_SEED } from '../numerics/random.ts';
import { checkAccesses, conditionOf } from './checks.ts';
import { MachineError } from './error.ts';
import type { PortData } from './host.ts';
import { PortTransfer } from './host.ts';
import type { MemoryLayout, MemoryPlace } from './memory.ts';
import { Memory, memoryLayout } from './memory.ts';
import type { Observer } from './observer.ts';
import { addAccess } from './ranges.ts';
import { semanticsOf } from './semantics/index.ts';
import { branchTaken } from './semantics/scalar.ts';
import { MachineState } from './state.ts';
import type { TrapReason } from './trap.ts';
import { Trap } from './trap.ts';

export interface MachineOptions {
  /** Largest DRAM image, in bytes. */
  readonly dramLimitBytes?: number;
  /** Seed of random vectors: an unsigned 32-bit number other than 0. */
  readonly seed?: number;
}

export interface RunOptions {
  readonly observers?: readonly Observer[];
  /** Instructions that may execute after the reset; the program's own bound unless given. The next one traps. */
  readonly maxInstructions?: number;
  /** Stops before this instruction, or before the first instruction of the graph operation of this name. */
  readonly breakAt?: number | string;
}

export interface RunResult {
  /** Instructions executed since the reset. */
  readonly instructions: number;
  /** Whether the program has ended; otherwise it stands at the break. */
  readonly ended: boolean;
}

/** An instruction with everything that is known before it executes. */
export interface Decoded {
  readonly instruction: AnyInstruction;
  readonly bound: BoundAccesses;
  readonly condition: ReturnType<typeof conditionOf>;
  readonly execute: ReturnType<typeof semanticsOf>;
}

/** How far an engine may go. */
export interface Advance {
  readonly observers: readonly Observer[];
  /** Instructions that may have executed since the reset. */
  readonly maxInstructions: number;
  readonly breaks: ReadonlySet<number> | undefined;
}

/** Where an engine wants registers and memory to stand; the constants are there already. */
export interface Storage extends MemoryPlace {
  readonly registers: Int32Array;
}

const NOTHING: readonly ResolvedAccess[] = [];

/**
 * A machine with one program. Use it sample by sample: `reset`, `writeInput` for each input, `run`, `readOutput`.
 * Constants are loaded once. Everything is deterministic: the same inputs and seed give the same bits.
 */
export class Machine {
  readonly program: Program;
  readonly target: Target;
  readonly state: MachineState;
  /** The program, verified and decoded. */
  readonly code: readonly Decoded[];
  readonly #read: RegisterReader;
  readonly #transfers = new Map<Port, PortTransfer>();
  readonly #seed: number;

  /**
   * Throws a MachineError where the program does not verify for the target or needs too much memory. `provide`, if given, is asked where the
   * state is to stand.
   */
  constructor(
    program: Program,
    target: Target,
    { dramLimitBytes, seed = DEFAULT_SEED }: MachineOptions = {},
    provide?: (layout: MemoryLayout) => Storage,
  ) {
    requireValid(program, target);
    const layout = memoryLayout(program, target, dramLimitBytes);
    const storage = provide?.(layout);
    const memory = new Memory(layout, program.memory.constants, storage);
    this.program = program;
    this.target = target;
    this.state = new MachineState(memory, target.fractionBits, storage?.registers);
    this.code = decodeProgram(program.code).map(decoded);
    this.#seed = checkedSeed(seed);
    const { registers } = this.state;
    this.#read = (register) => registers[register] as number;
    if (storage === undefined) memory.loadConstants(program.constants);
    this.reset();
  }

  get memory(): Memory {
    return this.state.memory;
  }

  get registers(): Int32Array {
    return this.state.registers;
  }

  /** Index of the next instruction; the number of instructions at the end. */
  get pc(): number {
    return this.state.pc;
  }

  /** Instructions executed since the reset. */
  get executed(): number {
    return this.state.executed;
  }

  /** Back to the start: registers 0, only the constants initialised, the random generator at its seed. */
  reset(seed: number = this.#seed): void {
    this.state.registers.fill(0);
    this.state.pc = 0;
    this.state.next = 0;
    this.state.random = checkedSeed(seed);
    this.memory.forget();
    this.state.executed = 0;
  }

  /** Puts an input into DRAM: a Float32Array or, for a port of fixed-point elements, an Int16Array of raw integers. */
  writeInput(name: string, data: PortData): void {
    const port = findPort('input', this.program.inputs, name);
    this.#transfer(port).store(this.memory, data);
  }

  /** An output in the user's order and element type. */
  readOutput(name: string): PortData {
    const port = findPort('output', this.program.outputs, name);
    return this.#transfer(port).load(this.memory);
  }

  /** A copy of bytes of a memory space, initialised or not. */
  dump(space: Space, start: number, bytes: number): Uint8Array {
    const { size } = this.memory.layout;
    if (!Number.isInteger(start) || !Number.isInteger(bytes) || start < 0 || bytes < 0 || start + bytes > size[space])
      throw new MachineError('out-of-range', `${bytes} bytes from ${start} are not within the ${size[space]} bytes of ${space}`);
    return this.memory.copyOf(space, start, start + bytes);
  }

  /** Runs to the end, or to the break if it is reached. Throws a Trap, after which the state is the one before the instruction. */
  run({ observers = [], maxInstructions = this.program.maxInstructions, breakAt }: RunOptions = {}): RunResult {
    const { state } = this;
    const breaks = breakAt === undefined ? undefined : this.#breakpoints(breakAt);
    const length = this.code.length;
    while (state.pc < length && breaks?.has(state.pc) !== true) {
      if (state.executed >= maxInstructions)
        throw this.#trap({ code: 'budget', detail: `${maxInstructions} instructions have been executed` });
      this.advance({ observers, maxInstructions, breaks });
    }
    return { instructions: state.executed, ended: state.pc >= length };
  }

  /** Executes one instruction, whatever the budget. False at the end of the program. */
  step(observers: readonly Observer[] = []): boolean {
    if (this.state.pc >= this.code.length) return false;
    this.#execute(observers);
    return true;
  }

  /**
   * Executes the next instruction, which is within the budget and at no break. A faster engine may go on, up to the budget, a break or the end;
   * what it executes must be what this executes.
   */
  protected advance({ observers }: Advance): void {
    this.#execute(observers);
  }

  #execute(observers: readonly Observer[]): void {
    const { state } = this;
    const { instruction, bound, condition, execute } = this.code[state.pc] as Decoded;
    let reason = condition?.(state, instruction, this.code.length);
    let accesses = NOTHING;
    if (reason === undefined && bound.accesses.length > 0) {
      accesses = resolveBound(bound, this.#read);
      reason = checkAccesses(state.memory, accesses);
    }
    if (reason !== undefined) throw this.#trap(reason);
    if (observers.length > 0) {
      const step = { pc: state.pc, instruction, accesses, registers: state.registers, taken: isTaken(state, instruction) };
      for (const observer of observers) observer.step(step);
    }
    state.next = state.pc + 1;
    this.perform(instruction, execute);
    for (const access of accesses) if (access.mode !== 'read') addAccess(state.memory.initialised[access.space], access);
    state.pc = state.next;
    state.executed++;
  }

  /** Changes what an instruction changes, its checks passed; `execute` is its meaning, which an engine may compute otherwise. */
  protected perform(instruction: AnyInstruction, execute: ReturnType<typeof semanticsOf>): void {
    execute(this.state, instruction);
  }

  #trap(reason: TrapReason): Trap {
    const { pc, registers } = this.state;
    return new Trap(reason, pc, (this.code[pc] as Decoded).instruction, registers, sourceOf(this.program, pc));
  }

  #breakpoints(breakAt: number | string): ReadonlySet<number> {
    if (typeof breakAt === 'number') return new Set([breakAt]);
    const entries = this.program.debug.filter(({ node }) => node === breakAt);
    if (entries.length === 0) throw new MachineError('unknown-name', `no instruction belongs to an operation '${breakAt}'`);
    return new Set(entries.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)));
  }

  #transfer(port: Port): PortTransfer {
    const transfer = this.#transfers.get(port) ?? new PortTransfer(port);
    this.#transfers.set(port, transfer);
    return transfer;
  }
}

/** Throws a MachineError where a program does not verify for a target. */
export function requireValid(program: Program, target: Target): void {
  const [finding, ...more] = verifyProgram(program, target);
  if (finding !== undefined) {
    const place = finding.index === undefined ? '' : `instruction ${finding.index}: `;
    throw new MachineError('invalid-program', `${place}${finding.message}${more.length === 0 ? '' : ` (and ${more.length} more)`}`);
  }
}

function decoded(instruction: ReturnType<typeof decodeProgram>[number]): Decoded {
  if (isIllegal(instruction)) throw new MachineError('invalid-program', instruction.reason);
  const { mnemonic } = instruction;
  return { instruction, bound: bindAccesses(instruction), condition: conditionOf(mnemonic), execute: semanticsOf(mnemonic) };
}

function isTaken(state: MachineState, { mnemonic, fields }: AnyInstruction): boolean {
  return mnemonic === 'JUMP' || (mnemonic === 'CB' && branchTaken(state, fields['condition'] as number));
}

function findPort(direction: string, ports: readonly Port[], name: string): Port {
  const port = ports.find((candidate) => candidate.name === name);
  if (port === undefined)
    throw new MachineError(
      'unknown-name',
      `the program has no ${direction} '${name}'; it has ${ports.map((p) => `'${p.name}'`).join(', ') || 'none'}`,
    );
  return port;
}

function checkedSeed(seed: number): number {
  if (!Number.isInteger(seed) || seed <= 0 || seed >= 2 ** 32)
    throw new MachineError('wrong-data', `the seed ${seed} is not an integer from 1 to 2^32 - 1`);
  return seed;
}
