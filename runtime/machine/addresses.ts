/**
 * The address engine: carries out control, scalars and addresses of a program and computes no elements. What timing looks at does not
 * depend on elements in the programs that the compiler makes, and elements are nearly all of the work.
 *
 * A register is *unknown* from where it gets a value that depends on elements: from VDP, VMAX or VMIN, from SLOAD of a word that is
 * neither a constant nor a known scalar stored before, or from a scalar instruction with an unknown operand. Where an unknown register
 * would decide what happens next (an address, a size, a count, a stride, a branch, a divisor) the engine gives up.
 */
import type { AccessRoom, BoundAccesses, RegisterReader, ResolvedAccess } from '../../isa/accesses.ts';
import { resolveInto, roomFor } from '../../isa/accesses.ts';
import { registersOf } from '../../isa/instruction.ts';
import type { CheckedMemory } from './checks.ts';
import { checkAccesses } from './checks.ts';
import { Intervals } from './intervals.ts';
import type { Decoded, Machine } from './machine.ts';
import type { AddressStep } from './observer.ts';
import { addAccess } from './ranges.ts';
import { scalarSemanticsOf } from './semantics/index.ts';
import type { ScalarState } from './semantics/types.ts';
import { REGISTER_COUNT } from './state.ts';

const NO_REGISTER = -1;
const WORD_BYTES = 4;

/** A static instruction as this engine needs it, which is shown to observers as it is. */
interface Line extends AddressStep {
  readonly condition: Decoded['condition'];
  readonly bound: BoundAccesses;
  readonly accesses: AccessRoom;
  /** Executes an instruction of registers alone. */
  readonly execute: ReturnType<typeof scalarSemanticsOf>;
  /** Registers that decide what it touches, which instruction follows or whether there is a trap. */
  readonly decisive: readonly number[];
  /** The others that it reads: scalars that it computes with or stores. */
  readonly operands: readonly number[];
  /** Register written, or `NO_REGISTER`. */
  readonly result: number;
}

function lineOf(pc: number, { instruction, condition, bound }: Decoded): Line {
  const decisive: number[] = [];
  const operands: number[] = [];
  let result = NO_REGISTER;
  for (const { register, role } of registersOf(instruction)) {
    if (role === 'result') result = register;
    // Where there is a condition, such as on a divisor, scalars decide whether there is a trap.
    else if (role === 'scalar' && condition === undefined) operands.push(register);
    else decisive.push(register);
  }
  return {
    pc,
    instruction,
    condition,
    bound,
    accesses: roomFor(bound),
    execute: scalarSemanticsOf(instruction.mnemonic),
    // Copies have no room to grow.
    decisive: decisive.slice(),
    operands: operands.slice(),
    result,
  };
}

/** Words of DRAM whose values are known because they are scalars that the program stored. */
class KnownWords {
  readonly #words = new Map<number, number>();

  get(address: number): number | undefined {
    return this.#words.get(address);
  }

  set(address: number, value: number): void {
    this.#words.set(address, value);
  }

  /** Forgets the words that a store of other values may have reached. */
  forget(low: number, end: number): void {
    for (const address of this.#words.keys()) if (address < end && address + WORD_BYTES > low) this.#words.delete(address);
  }
}

class AddressEngine {
  readonly state: ScalarState;
  readonly lines: (Line | undefined)[] = [];
  readonly #machine: Machine;
  readonly #memory: CheckedMemory;
  readonly #read: RegisterReader;
  /** 1 for each register whose value depends on elements, and how many there are. */
  readonly #unknown = new Uint8Array(REGISTER_COUNT);
  #unknowns = 0;
  readonly #words = new KnownWords();

  constructor(machine: Machine) {
    const { program, memory, target } = machine;
    const registers = new Int32Array(REGISTER_COUNT);
    const dram = new Intervals();
    dram.add(memory.constants.start, memory.constants.start + memory.constants.bytes);
    for (const { address, bytes } of program.inputs) dram.add(address, address + bytes);
    this.state = { registers, pc: 0, next: 0, fraction: target.fractionBits };
    this.#machine = machine;
    this.#memory = {
      layout: memory.layout,
      constants: memory.constants,
      initialised: { dram, vector: new Intervals(), matrix: new Intervals() },
    };
    this.#read = (register) => registers[register] as number;
  }

  /** The instruction that comes next with its accesses resolved, or undefined where that is unknown or it would trap. */
  prepare(): Line | undefined {
    const { state } = this;
    const { code } = this.#machine;
    const line = (this.lines[state.pc] ??= lineOf(state.pc, code[state.pc] as Decoded));
    if (this.#unknowns > 0) for (const register of line.decisive) if (this.#unknown[register] === 1) return undefined;
    if (line.condition?.(state, line.instruction, code.length) !== undefined) return undefined;
    if (line.accesses.length === 0) return line;
    resolveInto(line.bound, this.#read, line.accesses);
    return checkAccesses(this.#memory, line.accesses) === undefined ? line : undefined;
  }

  execute(line: Line): void {
    const { state } = this;
    state.next = state.pc + 1;
    let unknown = 0;
    if (this.#unknowns > 0) for (const register of line.operands) unknown |= this.#unknown[register] as number;
    if (line.execute === undefined) unknown = this.#access(line, unknown);
    else line.execute(state, line.instruction);
    if (line.result !== NO_REGISTER && unknown !== this.#unknown[line.result]) {
      this.#unknown[line.result] = unknown;
      this.#unknowns += unknown === 1 ? 1 : -1;
    }
    state.pc = state.next;
  }

  /** What an instruction that accesses memory leaves: which bytes are written, which words are known. Returns 1 if its result is unknown. */
  #access({ instruction: { mnemonic }, accesses, operands, result }: Line, unknown: number): number {
    for (const access of accesses) {
      if (access.mode === 'read') continue;
      addAccess(this.#memory.initialised[access.space], access);
      if (access.space === 'dram' && access.rows > 0) this.#words.forget(access.low, access.end);
    }
    const [word] = accesses;
    if (mnemonic === 'SSTORE' && word !== undefined && unknown === 0) this.#words.set(word.start, this.#read(operands[0] as number));
    const loaded = mnemonic === 'SLOAD' && word !== undefined ? this.#load(word) : undefined;
    if (loaded === undefined) return 1;
    this.state.registers[result] = loaded;
    return 0;
  }

  #load({ start, end }: ResolvedAccess): number | undefined {
    const { memory } = this.#machine;
    const { constants } = memory;
    if (start >= constants.start && end <= constants.start + constants.bytes)
      return memory.words[memory.offset('dram', start) / WORD_BYTES];
    return this.#words.get(start);
  }
}

/**
 * Shows an observer what `run` would show it, as if every input had been written. The machine's own state is not touched. False where the
 * engine gives up: where control or an address depends on elements, or where the program goes wrong, which a run then says how.
 */
export function traceAddresses(machine: Machine, observer: { step(step: AddressStep): void }): boolean {
  const { code, program } = machine;
  const engine = new AddressEngine(machine);
  const { state } = engine;
  for (let executed = 0; state.pc < code.length; executed++) {
    if (executed >= program.maxInstructions) return false;
    const line = engine.prepare();
    if (line === undefined) return false;
    observer.step(line);
    engine.execute(line);
  }
  return true;
}
