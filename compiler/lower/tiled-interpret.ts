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
  subtractFixed,
  multiplyFixed,
  fromFixed16,
  toFixed16,
} from '../../runtime/numerics/fixed.ts';
import { canonical, floatFromBits, pmax, pmin } from '../../runtime/numerics/float.ts';
import { fractionBits, isFixed } from '../../runtime/numerics/element.ts';
import { expF32, logF32 } from '../../runtime/numerics/transcendental.ts';
import type { Mnemonic } from '../../isa/table.ts';
import { recordOf } from '../../isa/table.ts';
import type { Access } from '../../isa/fields.ts';
import { fail } from '../ir/diagnostic.ts';
import type { Environment } from './expr.ts';
import { evaluateExpr } from './expr.ts';
import { expectDefined } from './expect.ts';
import type { Buffer, Statement, TiledPort, TiledProgram, TileOp } from './tiled.ts';
import { accessElementBytes, iteration, localBuffers } from './tiled.ts';

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
  return Array.from({ length: buffer.slots }, () => new ArrayBuffer(Math.ceil(buffer.bytes / 4) * 4));
}

/** A memory operand as runs of elements, plane after plane. */
interface Rows {
  readonly rows: number;
  readonly width: number;
  row(index: number): Elements;
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
    const isFloat = op.modifiers.type === 1;
    perform({
      operand: (name) =>
        this.#rows(
          op,
          expectDefined(
            recordOf(op.mnemonic).accesses.find((access) => access.base === name),
            `${op.mnemonic} has ${name}`,
          ),
          environment,
          isFloat,
        ),
      value: (name) => this.#value(op, name, environment),
      modifier: (name) => op.modifiers[name] ?? 0,
      isFloat,
      fraction: this.#fraction,
    });
  }

  #value(op: TileOp, name: string, environment: Environment): number {
    const operand = op.operands[name];
    return operand?.kind === 'value' ? evaluateExpr(operand.value, environment) : 0;
  }

  #rows(op: TileOp, access: Access, environment: Environment, isFloat: boolean): Rows {
    const place = op.operands[access.base];
    if (place?.kind !== 'place') throw new Error(`${op.mnemonic} ${access.base} is not a place`);
    const { storage } = expectDefined(this.#memory.get(place.buffer), `@${place.buffer} exists`);
    const slot = expectDefined(storage[evaluateExpr(place.slot, environment)], `@${place.buffer} has the slot`);
    const offset = evaluateExpr(place.offset, environment);
    const width = access.width.reduce((product, name) => product * this.#value(op, name, environment), 1);
    const counted = (name: string | undefined, absent: number): number =>
      name !== undefined && op.operands[name] ? this.#value(op, name, environment) : absent;
    const stride = counted(access.stride, width * accessElementBytes(op, access));
    const planeStride = counted(access.planeStride, 0);
    const rows = counted(access.rows, 1);
    return {
      rows: rows * counted(access.planes, 1),
      width,
      row(index) {
        // Where nothing is accessed, addresses mean nothing.
        const start = width === 0 ? 0 : offset + Math.floor(index / rows) * planeStride + (index % rows) * stride;
        return isFloat ? new Float32Array(slot, start, width) : new Int16Array(slot, start, width);
      },
    };
  }
}

interface Operands {
  readonly operand: (name: string) => Rows;
  readonly value: (name: string) => number;
  readonly modifier: (name: string) => number;
  readonly isFloat: boolean;
  readonly fraction: number;
}

type Meaning = (operands: Operands) => void;

const copy =
  (from: string, to: string): Meaning =>
  ({ operand }) => {
    const [source, target] = [operand(from), operand(to)];
    for (let r = 0; r < target.rows; r++) target.row(r).set(source.row(r));
  };

const elementwise =
  (float: (a: number, b: number) => number, fixed: (a: number, b: number, fraction: number) => number): Meaning =>
  ({ operand, isFloat, fraction }) => {
    const [out, a, b] = [operand('out'), operand('a'), operand('b')];
    for (let r = 0; r < out.rows; r++) {
      const [outRow, aRow, bRow] = [out.row(r), a.row(r), b.row(r)];
      for (let i = 0; i < out.width; i++) {
        const [x, y] = [aRow[i] as number, bRow[i] as number];
        outRow[i] = isFloat ? canonical(float(x, y)) : fixed(x, y, fraction);
      }
    }
  };

/** An instruction of one vector, and of the value of its scalar operand where it has one. */
const each =
  (float: (x: number, scalar: number) => number, fixed: (x: number, scalar: number, fraction: number) => number): Meaning =>
  ({ operand, value, isFloat, fraction }) => {
    const [out, a] = [operand('out'), operand('a')];
    const bits = value('scalar');
    const scalar = isFloat ? floatFromBits(bits | 0) : (bits << 16) >> 16;
    for (let r = 0; r < out.rows; r++)
      out.row(r).set(a.row(r).map((x) => (isFloat ? canonical(float(x, scalar)) : fixed(x, scalar, fraction))));
  };

const multiplyAdd: Meaning = ({ operand, isFloat, fraction }) => {
  const [out, a, b] = [operand('out'), operand('a'), operand('b')];
  for (let r = 0; r < out.rows; r++) {
    const [sums, aRow, bRow] = [out.row(r), a.row(r), b.row(r)];
    for (let i = 0; i < out.width; i++) {
      const [sum, x, y] = [sums[i] as number, aRow[i] as number, bRow[i] as number];
      sums[i] = isFloat ? canonical(Math.fround(sum + Math.fround(x * y))) : multiplyAddFixed(sum, x, y, fraction);
    }
  }
};

const product: Meaning = ({ operand, modifier, isFloat, fraction }) => {
  const [out, matrix, input] = [operand('out'), operand('matrix').row(0), operand('in')];
  for (let r = 0; r < out.rows; r++) {
    const [sums, x] = [out.row(r), input.row(r)];
    for (let n = 0; n < out.width; n++) {
      let sum = modifier('acc') === 1 ? (sums[n] as number) : 0;
      if (isFloat)
        for (let k = 0; k < input.width; k++)
          sum = Math.fround(sum + Math.fround((x[k] as number) * (matrix[k * out.width + n] as number)));
      else for (let k = 0; k < input.width; k++) sum += (x[k] as number) * (matrix[k * out.width + n] as number);
      sums[n] = isFloat ? canonical(sum) : roundProductSum(sum, fraction);
    }
  }
};

const convert: Meaning = ({ operand, modifier, value, isFloat }) => {
  const [out, input] = [operand('out').row(0), operand('in').row(0)];
  const bits = (name: string): number => (isFloat ? floatFromBits(value(name)) : (value(name) << 16) >> 16);
  const activation = modifier('activation');
  const activate =
    activation === 0
      ? (x: number) => x
      : activation === 1
        ? (x: number) => pmax(x, 0)
        : (x: number) => pmin(pmax(x, bits('low')), bits('high'));
  for (let i = 0; i < out.length; i++) out[i] = canonical(activate(input[i] as number));
};

const fill: Meaning = ({ operand, value, isFloat }) => {
  const row = operand('out').row(0);
  if (isFloat) new Uint32Array(row.buffer, row.byteOffset, row.length).fill(value('scalar') >>> 0);
  else row.fill((value('scalar') << 16) >> 16);
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
  VMM: product,
  VCVT: convert,
  VAS: each((x, scalar) => Math.fround(x + scalar), addFixed),
  VEXP: each(expF32, (x, _, fraction) => expFixed(x, fraction)),
  VLOG: each(logF32, (x, _, fraction) => logFixed(x, fraction)),
  VFILL: fill,
};

function writePort(port: TiledPort, storage: ArrayBuffer, values: Elements): void {
  const stored = isFixed(port.stored) ? new Int16Array(storage) : new Float32Array(storage);
  forEachStored(port, (logical, index) => {
    const value = values[logical] as number;
    stored[index] = isFixed(port.stored) && !isFixed(port.element) ? toFixed16(value, fractionBits(port.stored)) : value;
  });
}

function readPort(port: TiledPort, storage: ArrayBuffer): Elements {
  const elements = port.shape.reduce((product, dimension) => product * dimension, 1);
  const stored = isFixed(port.stored) ? new Int16Array(storage) : new Float32Array(storage);
  const values = isFixed(port.element) ? new Int16Array(elements) : new Float32Array(elements);
  forEachStored(port, (logical, index) => {
    const value = stored[index] as number;
    values[logical] = isFixed(port.stored) && !isFixed(port.element) ? fromFixed16(value, fractionBits(port.stored)) : value;
  });
  return values;
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
