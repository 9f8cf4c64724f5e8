/** Random programs whose registers suit the roles of their fields often enough to execute, and seldom enough to trap. */
import fc from 'fast-check';
import { encodeProgram } from '../../isa/codec.ts';
import { formOf } from '../../isa/instruction.ts';
import type { Program } from '../../isa/program.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import { arbitraryInstruction } from './instructions.ts';
import { programOf } from './machine.ts';
import { loadTarget } from './targets.ts';

const cambricon = loadTarget('cambricon');

/** A machine with so little memory that random ranges are often inside, at the edge, or overlapping. */
export interface Small {
  readonly vectorBytes: number;
  readonly matrixBytes: number;
  readonly segmentBytes: number;
  /** Largest size and count of most registers with sizes, in elements and rows. */
  readonly elements: number;
}

export function smallTarget({ vectorBytes, matrixBytes }: Small): Target {
  return { ...cambricon, memory: { ...cambricon.memory, vectorBytes, matrixBytes } };
}

export interface RandomProgram {
  readonly program: Program;
  /** What the registers hold at the start. */
  readonly registers: readonly number[];
}

const list = (element: fc.Arbitrary<number>, length: number) =>
  fc.array(fc.oneof({ weight: 15, arbitrary: element }, { weight: 1, arbitrary: fc.integer() }), { minLength: length, maxLength: length });

/** Mostly multiples of 8 or 4, some of 2 or 1: elements have as many bytes. */
const bytes = (words: fc.Arbitrary<number>) =>
  fc.oneof(
    { weight: 5, arbitrary: words.map((x) => 8 * Math.trunc(x / 2)) },
    { weight: 6, arbitrary: words.map((x) => 4 * x) },
    { weight: 1, arbitrary: words.map((x) => 2 * x) },
    { weight: 1, arbitrary: words },
  );

/** Sixteen sizes, sixteen strides, thirty-two addresses; one in sixteen is anything. */
function registerFile({ vectorBytes, elements }: Small) {
  const size = fc.nat({ max: elements });
  const someStride = bytes(fc.integer({ min: -elements, max: elements }));
  const stride = fc.oneof({ weight: 5, arbitrary: someStride }, { weight: 1, arbitrary: fc.constant(0) });
  const address = bytes(fc.nat({ max: Math.floor((vectorBytes * 0.94) / 4) }));
  return fc.tuple(list(size, 16), list(stride, 16), list(address, 32)).map((parts) => parts.flat());
}

/** The same instruction with registers that suit the roles of its fields, and a small immediate. */
function tame(one: AnyInstruction, immediate: number): AnyInstruction {
  const fields = { ...one.fields };
  for (const [name, field] of Object.entries(formOf(one.mnemonic, one.form).fields)) {
    const value = fields[name] ?? 0;
    if (field.kind === 'immediate') fields[name] = immediate;
    // Fields that do not apply are 0 and stay so.
    if (field.kind !== 'register' || value === 0) continue;
    if (field.role === 'size' || field.role === 'count') fields[name] = value % 16;
    else if (field.role === 'stride') fields[name] = 16 + (value % 16);
    else if (field.role === 'address') fields[name] = 32 + (value % 28);
    else if (field.role === 'result') fields[name] = 60 + (value % 4);
  }
  return { ...one, fields };
}

const instruction = fc
  .tuple(arbitraryInstruction(), fc.nat({ max: 9 }), fc.integer({ min: -4, max: 16 }))
  .map(([drawn, wild, immediate]) => (wild === 0 ? drawn : tame(drawn, 4 * immediate)));

/** Immediate branches must stay inside, or the program is refused. */
function branchInside(one: AnyInstruction, index: number, length: number): AnyInstruction {
  if (one.form !== 'immediate' || (one.mnemonic !== 'JUMP' && one.mnemonic !== 'CB')) return one;
  const target = (((one.fields['target'] ?? 0) % (length + 1)) + length + 1) % (length + 1);
  return { ...one, fields: { ...one.fields, target: target - index } };
}

/** Programs of 1 to 12 instructions for the small target, with 64 bytes of constants. */
export function randomProgram(small: Small): fc.Arbitrary<RandomProgram> {
  return fc.tuple(fc.array(instruction, { minLength: 1, maxLength: 12 }), registerFile(small)).map(([instructions, registers]) => {
    const legal = instructions.map((one, i) => branchInside(one, i, instructions.length));
    const frame = programOf('', { constants: new Uint8Array(64), segmentBytes: small.segmentBytes });
    return { program: { ...frame, code: encodeProgram(legal) }, registers };
  });
}
