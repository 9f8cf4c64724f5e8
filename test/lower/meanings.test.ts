/** The plain engine and the tiled interpreter, whose meanings were written apart, on single instructions of every element type. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expr } from '../../compiler/lower/expr.ts';
import { interpretTiled } from '../../compiler/lower/tiled-interpret.ts';
import type { Buffer, Operand, TiledProgram, TileOp } from '../../compiler/lower/tiled.ts';
import { isAddress, operandNames, spaceOf } from '../../compiler/lower/tiled.ts';
import { encodeProgram } from '../../isa/codec.ts';
import { ELEMENT_NAMES } from '../../isa/fields.ts';
import { applies, elementOf, formOf, isOperand } from '../../isa/instruction.ts';
import type { AnyInstruction, Mnemonic } from '../../isa/table.ts';
import { recordOf } from '../../isa/table.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { floatBits } from '../../runtime/numerics/float.ts';
import { xorshift32 } from '../../runtime/numerics/random.ts';
import { arbitraryInstruction } from '../support/instructions.ts';
import { poke, programOf } from '../support/machine.ts';
import { loadTarget } from '../support/targets.ts';

const target = loadTarget('cambricon');
const VECTOR_BYTES = 16384;
const MATRIX_BYTES = 4096;
const FRACTION = target.fractionBits;

const INSTRUCTIONS = [
  'VLOAD',
  'VLOAD2',
  'VLOAD3',
  'VMOVE',
  'VAV',
  'VSV',
  'VMV',
  'VDV',
  'VGTM',
  'VMAC',
  'VAS',
  'VEXP',
  'VLOG',
  'VFILL',
  'VMM',
  'VCMM',
  'VCVT',
  'VFIN',
  'VRQ',
  'VQAV',
  'VQZ',
  'VDQ',
] as const satisfies readonly Mnemonic[];

/** Contents of memory: any bits, binary32 numbers of one size, or small integers of 16 bits, among which are denormals of all floats. */
const CONTENTS = ['bits', 'floats', 'integers'] as const;

function contents(kind: (typeof CONTENTS)[number], bytes: number, seed: number): Uint8Array {
  let state = seed;
  const next = (): number => (state = xorshift32(state));
  const words = Uint32Array.from({ length: bytes / 4 }, () => {
    if (kind === 'floats') return floatBits((next() % 4097) / 1024 - 2);
    return kind === 'bits' ? next() : ((next() % 512) - 256) & 0xffff;
  });
  return new Uint8Array(words.buffer);
}

/** Numbers that operands are drawn from; places are apart, and far enough for all rows. */
interface Drawn {
  readonly size: number;
  readonly count: number;
  readonly stays: readonly boolean[];
  readonly scalars: readonly number[];
  readonly shift: number;
  readonly inPlace: boolean;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  size: fc.nat({ max: 9 }),
  count: fc.integer({ min: 1, max: 4 }),
  stays: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  scalars: fc.array(fc.oneof(fc.integer(), fc.float().map(floatBits), fc.integer({ min: -200, max: 200 })), { minLength: 8, maxLength: 8 }),
  shift: fc.nat({ max: 2 ** 16 }),
  inPlace: fc.boolean(),
});

const ROW_BYTES = 512;

/** The value of each operand of an instruction. */
function valuesOf({ mnemonic, form: formName, fields }: AnyInstruction, one: Drawn): Map<string, number> {
  const form = formOf(mnemonic, formName);
  const values = new Map<string, number>();
  let places = 0;
  for (const [i, name] of form.assembly.entries()) {
    const field = form.fields[name];
    if (field === undefined || !isOperand(field) || !applies(field, form, fields)) continue;
    const role = field.kind === 'register' || field.kind === 'immediate' ? field.role : undefined;
    if (role === 'address') values.set(name, field.kind === 'immediate' || spaceOf({ mnemonic }, name) !== 'vector' ? 0 : 2048 * places++);
    else if (role === 'size') values.set(name, name === 'in_size' ? one.count + 2 : one.size);
    else if (role === 'count') values.set(name, one.count);
    else if (role === 'stride') values.set(name, one.stays[i % 8] === true ? 0 : ROW_BYTES);
    else if (name === 'control') {
      // Every shift that the type has.
      const shift = elementOf({ fields }) === 'i8' ? 8 + (one.shift % 55) : one.shift % 32;
      values.set(name, shift | (((one.scalars[0] as number) & 0xff) << 8));
    } else values.set(name, (one.scalars[i % 8] as number) | 0);
  }
  // The two outermost of three dimensions must not meet.
  if (values.has('lpstride')) values.set('lpstride', ROW_BYTES);
  const output = recordOf(mnemonic).accesses[0];
  if (output !== undefined && one.inPlace && values.has('a') && values.has('out')) {
    values.set('a', values.get('out') as number);
    if (values.has('astride')) values.set('astride', values.get('ostride') as number);
  }
  return values;
}

const buffer = (name: string, space: Buffer['space'], role: Buffer['role'], bytes: number): Buffer => ({
  name,
  space,
  role,
  bytes,
  slots: 1,
  banks: 'any',
});
const place = (name: string, offset = 0): Operand => ({ kind: 'place', buffer: name, slot: expr(0), offset: expr(offset) });
const value = (x: number): Operand => ({ kind: 'value', value: expr(x) });

const BUFFER_OF = { vector: 'v', matrix: 'm', dram: 'cv' } as const;

function tileOp(instruction: AnyInstruction, values: ReadonlyMap<string, number>): TileOp {
  const { mnemonic, form: formName, fields } = instruction;
  const form = formOf(mnemonic, formName);
  const modifiers = Object.fromEntries(
    Object.entries(form.fields).flatMap(([name, field]) => (isOperand(field) ? [] : [[name, fields[name] ?? 0]])),
  );
  const names = operandNames({ mnemonic, form: formName, modifiers });
  const operands = names.map((name): [string, Operand] => {
    const x = values.get(name) ?? 0;
    return [name, isAddress({ mnemonic }, name) ? place(BUFFER_OF[spaceOf({ mnemonic }, name) ?? 'dram'], x) : value(x)];
  });
  return { kind: 'op', mnemonic, form: formName, modifiers, operands: Object.fromEntries(operands) };
}

/** The vector scratchpad after the operation by the interpreter, which stood with the given bytes. */
function interpreted(op: TileOp, vector: Uint8Array, matrix: Uint8Array): Uint8Array {
  const move = (mnemonic: Mnemonic, local: string, dram: string, bytes: number): TileOp => ({
    kind: 'op',
    mnemonic,
    form: 'register',
    modifiers: { type: 0 },
    operands: { local: place(local), size: value(bytes / 2), base: place(dram) },
  });
  const port = {
    name: 'y',
    shape: [VECTOR_BYTES / 2],
    element: `fx16.${FRACTION}`,
    stored: `fx16.${FRACTION}`,
    layout: [0],
    via: [],
  } as const;
  const program: TiledProgram = {
    name: 'one',
    target: target.name,
    buffers: [
      buffer('cv', 'dram', 'constant', VECTOR_BYTES),
      buffer('cm', 'dram', 'constant', MATRIX_BYTES),
      buffer('y', 'dram', 'output', VECTOR_BYTES),
    ],
    constants: new Map([
      ['cv', vector],
      ['cm', matrix],
    ]),
    inputs: [],
    outputs: [{ ...port, buffer: 'y' }],
    sections: [
      {
        node: 'one',
        origin: [],
        locals: [buffer('v', 'vector', 'local', VECTOR_BYTES), buffer('m', 'matrix', 'local', MATRIX_BYTES)],
        body: [move('VLOAD', 'v', 'cv', VECTOR_BYTES), move('MLOAD', 'm', 'cm', MATRIX_BYTES), op, move('VSTORE', 'v', 'y', VECTOR_BYTES)],
      },
    ],
  };
  const y = interpretTiled(program, new Map(), FRACTION).get('y');
  if (!(y instanceof Int16Array)) throw new TypeError('the output is fixed point');
  return new Uint8Array(y.buffer);
}

/** The same by the plain engine. */
function executed(instruction: AnyInstruction, values: ReadonlyMap<string, number>, vector: Uint8Array, matrix: Uint8Array): Uint8Array {
  const form = formOf(instruction.mnemonic, instruction.form);
  const fields = { ...instruction.fields };
  const registers: number[] = [];
  for (const [name, x] of values) {
    if (form.fields[name]?.kind === 'immediate') fields[name] = x;
    else fields[name] = registers.push(x);
  }
  const program = { ...programOf('', { constants: vector }), code: encodeProgram([{ ...instruction, fields }]) };
  const machine = new Machine(program, target);
  for (const [space, bytes] of [
    ['vector', vector],
    ['matrix', matrix],
  ] as const) {
    poke(machine, space, 0, bytes);
    machine.memory.initialised[space].add(0, bytes.length);
  }
  for (const [i, x] of registers.entries()) machine.registers[i + 1] = x;
  machine.run();
  return machine.dump('vector', 0, VECTOR_BYTES);
}

describe.each(INSTRUCTIONS)('%s', (mnemonic) => {
  it('means the same to the plain engine and to the tiled interpreter', () => {
    const types = new Set<string>();
    fc.assert(
      fc.property(
        arbitraryInstruction([mnemonic]),
        drawn,
        fc.constantFrom(...CONTENTS),
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        (instruction, one, kind, seed) => {
          const values = valuesOf(instruction, one);
          const [vector, matrix] = [contents(kind, VECTOR_BYTES, seed), contents(kind, MATRIX_BYTES, seed + 1)];
          const expected = interpreted(tileOp(instruction, values), vector, matrix);
          expect(Buffer.compare(executed(instruction, values, vector, matrix), expected)).toBe(0);
          types.add(elementOf(instruction));
        },
      ),
      { numRuns: 300 },
    );
    const all = recordOf(mnemonic).types ?? ELEMENT_NAMES;
    if (Object.hasOwn(formOf(mnemonic, 'register').fields, 'type')) expect([...types].sort()).toEqual([...all].sort());
  });
});
