/**
 * The interpreter of the tiled IR: executes tile ops over named buffers, without addresses, registers or scratchpad limits. It is the second
 * opinion between graph evaluator and machine, and shares only the scalar numerics with either.
 */
import {
  addFixed,
  divideFixed,
  expFixed,
  logFixed,
  multiplyAddFixed,
  roundProductSum,
  roundTiesToEven,
  subtractFixed,
  multiplyFixed,
} from '../../runtime/numerics/fixed.ts';
import type { ElementType } from '../../runtime/numerics/element.ts';
import { elementBytes, isFixed } from '../../runtime/numerics/element.ts';
import { floatFromBits, pmax, pmin } from '../../runtime/numerics/float.ts';
import { fromNarrow, isNarrow, NARROW_FORMATS } from '../../runtime/numerics/narrow.ts';
import { decoderOf, encoderOf } from '../../runtime/numerics/store.ts';
import { expF32, logF32 } from '../../runtime/numerics/transcendental.ts';
import type { Mnemonic } from '../../isa/table.ts';
import { accessElement, accessElementBytes } from '../../isa/accesses.ts';
import { elementOf } from '../../isa/instruction.ts';
import { recordOf } from '../../isa/table.ts';
import type { Access, ElementCode } from '../../isa/fields.ts';
import { fail } from '../ir/diagnostic.ts';
import type { Environment } from './expr.ts';
import { evaluateExpr } from './expr.ts';
import { expectDefined } from './expect.ts';
import { Rows } from './tiled-rows.ts';
import type { Buffer, Statement, TiledPort, TiledProgram, TileOp } from './tiled.ts';
import { iteration, localBuffers } from './tiled.ts';

type Elements = Float32Array | Int16Array;

/** Bytes of each slot of a buffer. */
type Storage = readonly ArrayBuffer[];

/** Runs a tiled program. Inputs and outputs are in the user's layout and element type; fixed-point data is raw integers. */
export function interpretTiled(
  program: TiledProgram,
  inputs: ReadonlyMap<string, Elements>,
  fixedFraction: number,
): ReadonlyMap<string, Elements> {
  const dram = new Map(program.buffers.map((buffer) => [buffer.name, { buffer, storage: store(buffer) }]));
  for (const [name, bytes] of program.constants)
    new Uint8Array(expectDefined(dram.get(name)?.storage[0], `constant ${name} has a buffer`)).set(bytes);
  for (const port of program.inputs) {
    const values = inputs.get(port.name);
    if (!values) return fail('usage', 'tiled/missing-input', `input ${port.name} has no value`, { place: [program.name] });
    writePort(port, expectDefined(dram.get(port.buffer)?.storage[0], `port ${port.name} has a buffer`), values);
  }
  for (const section of program.sections) {
    const memory = new Map([
      ...dram,
      ...[...localBuffers(section)].map(([name, buffer]) => [name, { buffer, storage: store(buffer) }] as const),
    ]);
    const step = new Executor(memory, fixedFraction);
    step.run(section.body, new Map());
  }
  return new Map(
    program.outputs.map((port) => [
      port.name,
      readPort(port, expectDefined(dram.get(port.buffer)?.storage[0], `port ${port.name} has a buffer`)),
    ]),
  );
}

function store(buffer: Buffer): Storage {
  return Array.from({ length: buffer.slots }, () => new ArrayBuffer(Math.ceil(buffer.bytes / 8) * 8));
}

class Executor {
  readonly #memory: ReadonlyMap<string, { buffer: Buffer; storage: Storage }>;
  readonly #fraction: number;

  constructor(memory: ReadonlyMap<string, { buffer: Buffer; storage: Storage }>, fraction: number) {
    this.#memory = memory;
    this.#fraction = fraction;
  }

  run(statements: readonly Statement[], environment: Environment): void {
    for (const statement of statements) {
      if (statement.kind === 'op') this.#execute(statement, environment);
      else {
        const extent = evaluateExpr(statement.extent, environment);
        const inside = new Map(environment);
        for (let i = 0; i < extent; i++) {
          inside.set(statement.variable, i);
          this.run(iteration(statement), inside);
        }
      }
    }
  }

  #execute(op: TileOp, environment: Environment): void {
    const perform = MEANINGS[op.mnemonic];
    if (!perform) return fail('unsupported', 'tiled/no-meaning', `the tiled IR has no ${op.mnemonic}`);
    const element = elementOf({ fields: op.modifiers });
    perform({
      operand: (name) =>
        this.#rows(
          op,
          expectDefined(
            recordOf(op.mnemonic).accesses.find((access) => access.base === name),
            `${op.mnemonic} has ${name}`,
          ),
          environment,
        ),
      value: (name) => this.#value(op, name, environment),
      modifier: (name) => op.modifiers[name] ?? 0,
      element,
      isFloat: element === 'f32' || isNarrow(element),
      fraction: this.#fraction,
    });
  }

  #value(op: TileOp, name: string, environment: Environment): number {
    const operand = op.operands[name];
    return operand?.kind === 'value' ? evaluateExpr(operand.value, environment) : 0;
  }

  #rows(op: TileOp, access: Access, environment: Environment): Rows {
    const place = op.operands[access.base];
    if (place?.kind !== 'place') throw new Error(`${op.mnemonic} ${access.base} is not a place`);
    const { storage } = expectDefined(this.#memory.get(place.buffer), `@${place.buffer} exists`);
    const slot = expectDefined(storage[evaluateExpr(place.slot, environment)], `@${place.buffer} has the slot`);
    const offset = evaluateExpr(place.offset, environment);
    const width = access.width.reduce((product, name) => product * this.#value(op, name, environment), 1);
    const counted = (name: string | undefined, absent: number): number =>
      name !== undefined && op.operands[name] ? this.#value(op, name, environment) : absent;
    const element = accessElement(access, op.modifiers);
    const stride = counted(access.stride, width * accessElementBytes(access, op.modifiers));
    const planeStride = counted(access.planeStride, 0);
    const rows = counted(access.rows, 1);
    // Where nothing is accessed, addresses mean nothing.
    const start = (index: number): number => (width === 0 ? 0 : offset + Math.floor(index / rows) * planeStride + (index % rows) * stride);
    return new Rows(slot, element === 'word' ? 'i32' : element, rows * counted(access.planes, 1), width, start);
  }
}

interface Operands {
  readonly operand: (name: string) => Rows;
  readonly value: (name: string) => number;
  readonly modifier: (name: string) => number;
  /** The element type that the instruction names. */
  readonly element: ElementCode;
  readonly isFloat: boolean;
  readonly fraction: number;
}

type Meaning = (operands: Operands) => void;

const low16 = (bits: number): number => (bits << 16) >> 16;
const high16 = (bits: number): number => bits >> 16;

/** The number that the low bits of a scalar encode. */
function scalarOf(element: ElementCode, bits: number): number {
  if (element === 'f32') return floatFromBits(bits | 0);
  return isNarrow(element) ? fromNarrow(element, bits & (2 ** NARROW_FORMATS[element].bits - 1)) : low16(bits);
}

const copy =
  (from: string, to: string): Meaning =>
  ({ operand }) => {
    const [source, target] = [operand(from), operand(to)];
    for (let r = 0; r < target.rows; r++) target.bytes(r).set(source.bytes(r));
  };

const elementwise =
  (float: (a: number, b: number) => number, fixed: (a: number, b: number, fraction: number) => number): Meaning =>
  ({ operand, isFloat, fraction }) => {
    const [out, a, b] = [operand('out'), operand('a'), operand('b')];
    for (let r = 0; r < out.rows; r++) {
      const [x, y] = [a.numbers(r), b.numbers(r)];
      out.write(r, (i) => (isFloat ? float(x[i] as number, y[i] as number) : fixed(x[i] as number, y[i] as number, fraction)));
    }
  };

/** An instruction of one vector, and of the value of its scalar operand where it has one. */
const each =
  (float: (x: number, scalar: number) => number, fixed: (x: number, scalar: number, fraction: number) => number): Meaning =>
  ({ operand, value, element, isFloat, fraction }) => {
    const [out, a] = [operand('out'), operand('a')];
    const scalar = scalarOf(element, value('scalar'));
    for (let r = 0; r < out.rows; r++) {
      const x = a.numbers(r);
      out.write(r, (i) => (isFloat ? float(x[i] as number, scalar) : fixed(x[i] as number, scalar, fraction)));
    }
  };

const multiplyAdd: Meaning = ({ operand, isFloat, fraction }) => {
  const [out, a, b] = [operand('out'), operand('a'), operand('b')];
  for (let r = 0; r < out.rows; r++) {
    const [sums, x, y] = [out.numbers(r), a.numbers(r), b.numbers(r)];
    out.write(r, (i) => {
      const [sum, left, right] = [sums[i] as number, x[i] as number, y[i] as number];
      return isFloat ? Math.fround(sum + Math.fround(left * right)) : multiplyAddFixed(sum, left, right, fraction);
    });
  }
};

/** Where the terms of an output stand: the input of term k, the steps from output to output, and the number of terms. */
interface Terms {
  readonly inputs: number;
  readonly inputStep: number;
  readonly inputOutputStep: number;
}

/** Sums of products, term after term: `in[k · inputStep + n · inputOutputStep] · matrix[k · outputs + n]`. */
const product =
  (termsOf: (input: Rows, out: Rows) => Terms): Meaning =>
  ({ operand, modifier, element, isFloat, fraction }) => {
    const [out, matrix, input] = [operand('out'), operand('matrix').numbers(0), operand('in')];
    const { inputs, inputStep, inputOutputStep } = termsOf(input, out);
    const continues = modifier('acc') === 1;
    for (let r = 0; r < out.rows; r++) {
      const x = input.numbers(r);
      const term = (k: number, n: number): number =>
        (x[k * inputStep + n * inputOutputStep] as number) * (matrix[k * out.width + n] as number);
      if (isFloat) {
        const sums = out.numbers(r);
        out.write(r, (n) => {
          let sum = continues ? (sums[n] as number) : 0;
          for (let k = 0; k < inputs; k++) sum = Math.fround(sum + Math.fround(term(k, n)));
          return sum;
        });
        continue;
      }
      // Fewer terms than a scratchpad has elements: a double holds their sum.
      const exact = (n: number): number => {
        let sum = 0;
        for (let k = 0; k < inputs; k++) sum += term(k, n);
        return sum;
      };
      if (element === 'fx16') out.write(r, (n) => roundProductSum(exact(n), fraction));
      else out.addWhole(r, continues, exact);
    }
  };

const activationOf = ({ modifier, value, isFloat }: Operands): ((x: number) => number) => {
  const bound = (name: string): number => (isFloat ? floatFromBits(value(name)) : low16(value(name)));
  const [low, high] = [bound('low'), bound('high')];
  const activation = modifier('activation');
  if (activation === 0) return (x) => x;
  return activation === 1 ? (x) => pmax(x, 0) : (x) => pmin(pmax(x, low), high);
};

const convert: Meaning = (operands) => {
  const [out, input] = [operands.operand('out'), operands.operand('in').numbers(0)];
  const activate = activationOf(operands);
  out.write(0, (i) => activate(input[i] as number));
};

const fill: Meaning = ({ operand, value }) => operand('out').fill(value('scalar'));

const finishFloats: Meaning = (operands) => {
  const [out, input, bias] = [operands.operand('out'), operands.operand('in'), operands.operand('bias').numbers(0)];
  const activate = activationOf(operands);
  for (let r = 0; r < out.rows; r++) {
    const sums = input.numbers(r);
    out.write(r, (i) => activate(Math.fround((sums[i] as number) + (bias[i] as number))));
  }
};

/** min(max(x, low), high) for the bounds in the halves of a scalar, which 8-bit elements saturate. */
function clamped(element: ElementCode, bounds: number): (x: number) => number {
  const saturate = (x: number): number => (element === 'i8' ? Math.min(Math.max(x, -128), 127) : x);
  const [low, high] = [saturate(low16(bounds)), saturate(high16(bounds))];
  return (x) => Math.min(Math.max(x, low), high);
}

/** x / 2^shift to the nearest integer; ties to even, or up. */
function shiftedRight(x: bigint, shift: bigint, ties: 'even' | 'up'): bigint {
  const floor = x >> shift;
  const twice = 2n * (x - (floor << shift));
  const whole = 1n << shift;
  const isUp = twice > whole || (twice === whole && (ties === 'up' || floor % 2n !== 0n));
  return isUp ? floor + 1n : floor;
}

const finishIntegers: Meaning = ({ operand, value, modifier, element }) => {
  const [out, input, params] = [operand('out'), operand('in'), operand('params')];
  const size = out.width;
  const bits = element === 'i8' ? 32 : 64;
  const [biases, multipliers] =
    element === 'i8' ? [params.wholes(0, 'i32', 0, size), params.wholes(0, 'i32', size, size)] : [params.wholes(0, 'i64', 0, size), []];
  const scales = params.as(0, Float32Array);
  const shift = BigInt(value('control') & 0xff);
  const zero = element === 'i8' ? BigInt((value('control') << 16) >> 24) : 0n;
  const clamp = clamped(element, value('bounds'));
  for (let r = 0; r < out.rows; r++) {
    const sums = input.wholes(r, element === 'i8' ? 'i32' : 'i64', 0, size);
    out.write(r, (i) => {
      const sum = BigInt.asIntN(bits, (sums[i] as bigint) + (biases[i] as bigint));
      if (modifier('to') === 1)
        return element === 'i8' ? Math.fround(Number(sum)) * (scales[size + i] as number) : Number(sum) / 2 ** Number(shift);
      const scaled = element === 'i8' ? shiftedRight(sum * (multipliers[i] as bigint), shift, 'up') : shiftedRight(sum, shift, 'even');
      return clamp(Number(scaled + zero));
    });
  }
};

const addQuantized: Meaning = ({ operand, value }) => {
  const [out, a, b] = [operand('out'), operand('a').numbers(0), operand('b').numbers(0)];
  const [factorA, factorB] = [low16(value('factors')), high16(value('factors'))];
  const clamp = clamped('i8', value('bounds'));
  out.write(0, (i) => {
    const sum = (a[i] as number) * factorA + (b[i] as number) * factorB + (value('addend') | 0);
    return clamp(Math.floor((sum | 0) / 2 ** (value('shift') & 31)));
  });
};

const quantize: Meaning = ({ operand, value, element }) => {
  const [out, x] = [operand('out'), operand('in').numbers(0)];
  const [scale, zero] = [floatFromBits(value('scale')), low16(value('zero'))];
  const clamp = clamped(element, value('bounds'));
  out.write(0, (i) => {
    const scaled = Math.fround((x[i] as number) * scale);
    return clamp(Number.isNaN(scaled) ? zero : roundTiesToEven(scaled) + zero);
  });
};

const dequantize: Meaning = ({ operand, value }) => {
  const [out, x] = [operand('out'), operand('in').numbers(0)];
  const [scale, zero] = [floatFromBits(value('scale')), low16(value('zero'))];
  out.write(0, (i) => Math.fround(((x[i] as number) - zero) * scale));
};

/** The instructions that lowering writes. */
const MEANINGS: Readonly<Partial<Record<Mnemonic, Meaning>>> = {
  VLOAD: copy('base', 'local'),
  VLOAD2: copy('base', 'local'),
  VLOAD3: copy('base', 'local'),
  MLOAD: copy('base', 'local'),
  VSTORE: copy('local', 'base'),
  VSTORE2: copy('local', 'base'),
  VSTORE3: copy('local', 'base'),
  VMOVE: copy('a', 'out'),
  VAV: elementwise((a, b) => Math.fround(a + b), addFixed),
  VSV: elementwise((a, b) => Math.fround(a - b), subtractFixed),
  VMV: elementwise((a, b) => Math.fround(a * b), multiplyFixed),
  VDV: elementwise((a, b) => Math.fround(a / b), divideFixed),
  VGTM: elementwise(
    (a, b) => (a > b ? a : b),
    (a, b) => (a > b ? a : b),
  ),
  VMAC: multiplyAdd,
  VMM: product((input) => ({ inputs: input.width, inputStep: 1, inputOutputStep: 0 })),
  VCMM: product((input, out) => ({ inputs: input.width / out.width, inputStep: out.width, inputOutputStep: 1 })),
  VCVT: convert,
  VFIN: finishFloats,
  VRQ: finishIntegers,
  VQAV: addQuantized,
  VQZ: quantize,
  VDQ: dequantize,
  VAS: each((x, scalar) => Math.fround(x + scalar), addFixed),
  VEXP: each(expF32, (x, _, fraction) => expFixed(x, fraction)),
  VLOG: each(logF32, (x, _, fraction) => logFixed(x, fraction)),
  VFILL: fill,
};

function storedView({ stored }: TiledPort, storage: ArrayBuffer): Int8Array | Int16Array | Float32Array {
  if (stored === 'f32') return new Float32Array(storage);
  return elementBytes(stored) === 1 ? new Int8Array(storage) : new Int16Array(storage);
}

function writePort(port: TiledPort, storage: ArrayBuffer, values: Elements): void {
  const stored = storedView(port, storage);
  const convert = conversions(port, [port.element, ...port.via, port.stored]);
  forEachStored(port, (logical, index) => {
    stored[index] = convert(values[logical] as number);
  });
}

function readPort(port: TiledPort, storage: ArrayBuffer): Elements {
  const elements = port.shape.reduce((product, dimension) => product * dimension, 1);
  const stored = storedView(port, storage);
  const convert = conversions(port, [port.stored, ...port.via, port.element]);
  const values = isFixed(port.element) ? new Int16Array(elements) : new Float32Array(elements);
  forEachStored(port, (logical, index) => {
    values[logical] = convert(stored[index] as number);
  });
  return values;
}

/** What is stored of an element in the last of some types, from what is stored of it in the first. */
function conversions({ via }: TiledPort, passed: readonly ElementType[]): (x: number) => number {
  const [first, last] = [passed[0] ?? 'f32', passed.at(-1) ?? 'f32'];
  if (first === last && via.length === 0) return (x) => x;
  const steps = passed.slice(1).map((to, i) => {
    const [decode, encode] = [decoderOf(passed[i] ?? 'f32'), encoderOf(to)];
    // Arrays of the type's width hold bits as signed integers.
    const width = 32 - 8 * elementBytes(to);
    return (x: number): number => (to === 'f32' ? Math.fround(decode(x)) : (encode(decode(x)) << width) >> width);
  });
  return (x) => steps.reduce((value, step) => step(value), x);
}

/** Calls `visit` with the logical and the stored row-major index of every element. */
function forEachStored({ shape, layout }: TiledPort, visit: (logical: number, stored: number) => void): void {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, dimension) => product * dimension, 1));
  let stored = 0;
  const walk = (depth: number, logical: number): void => {
    const dimension = layout[depth];
    if (dimension === undefined) return visit(logical, stored++);
    for (let i = 0; i < (shape[dimension] ?? 1); i++) walk(depth + 1, logical + i * (strides[dimension] ?? 1));
  };
  walk(0, 0);
}
