/** Instructions over virtual registers: what emission writes and register allocation turns into real instructions. */
import type { AnyInstruction, FormName, Mnemonic } from '../../isa/table.ts';
import { recordOf } from '../../isa/table.ts';

/** A virtual register; a scalar value of its own, with as many definitions as it likes. */
export interface VirtualRegister {
  readonly id: number;
  /** Set where the only definition moves this constant here, so that the value can be made again anywhere. */
  readonly constant?: number;
}

export type VirtualField = number | VirtualRegister;

export interface VirtualInstruction {
  readonly kind: 'instruction';
  readonly mnemonic: Mnemonic;
  readonly form: FormName;
  readonly fields: Readonly<Record<string, VirtualField>>;
  /** What the run of instructions that ends here is for: the text of a tile op, or `loop`; absent where the run goes on. */
  readonly tile?: string;
}

/** `counter` has the extent on entry, which the loop counts down. */
export interface VirtualLoop {
  readonly kind: 'loop';
  readonly counter: VirtualRegister;
  readonly body: readonly VirtualItem[];
  /** Most iterations that one entry can take. */
  readonly maxIterations: number;
}

export type VirtualItem = VirtualInstruction | VirtualLoop;

export function virtual(mnemonic: Mnemonic, form: FormName, fields: Readonly<Record<string, VirtualField>>): VirtualInstruction {
  return { kind: 'instruction', mnemonic, form, fields };
}

/** The back edge of a loop: its offset is set when positions are known. */
export function backEdge(counter: VirtualRegister): readonly VirtualInstruction[] {
  return [
    virtual('SADD', 'immediate', { result: counter, a: counter, b: -1 }),
    { ...virtual('CB', 'immediate', { condition: counter, target: 0 }), tile: 'loop' },
  ];
}

/** The virtual registers that an instruction reads and the one that it writes. */
export function registersOf(instruction: VirtualInstruction): { reads: readonly VirtualRegister[]; writes: readonly VirtualRegister[] } {
  const reads: VirtualRegister[] = [];
  const writes: VirtualRegister[] = [];
  const fields = recordOf(instruction.mnemonic).forms[instruction.form]?.fields ?? {};
  for (const [name, value] of Object.entries(instruction.fields)) {
    if (typeof value === 'number') continue;
    const field = fields[name];
    (field?.kind === 'register' && field.role === 'result' ? writes : reads).push(value);
  }
  return { reads, writes };
}

/** The instruction with every virtual register replaced. */
export function withRegisters(instruction: VirtualInstruction, numberOf: (register: VirtualRegister) => number): AnyInstruction {
  const fields = Object.fromEntries(
    Object.entries(instruction.fields).map(([name, value]) => [name, typeof value === 'number' ? value : numberOf(value)]),
  );
  return { mnemonic: instruction.mnemonic, form: instruction.form, fields };
}
