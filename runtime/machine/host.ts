/** The host's side of a port: the user's element type and layout to those of DRAM, and back. */
import type { Port } from '../../isa/program.ts';
import { portElementCount } from '../../isa/program.ts';
import { elementBytes } from '../numerics/element.ts';
import { decoderOf, encodeInto } from '../numerics/store.ts';
import { MachineError } from './error.ts';
import type { Memory } from './memory.ts';

/** Data of a port in the user's logical order: f32 numbers, or raw integers of a fixed-point type. */
export type PortData = Float32Array | Int16Array;

/** An array for the elements of a port as the user sees them. */
export function allocatePortData(port: Port): PortData {
  const count = portElementCount(port);
  return port.element === 'f32' ? new Float32Array(count) : new Int16Array(count);
}

/** For each stored element the logical index it has, or undefined where the order is the same. */
export function storedOrder(port: Port): Uint32Array | undefined {
  const { shape, layout } = port;
  const lasting = layout.filter((dimension) => shape[dimension] !== 1);
  if (lasting.every((dimension, i) => i === 0 || dimension > (lasting[i - 1] as number))) return undefined;
  const logicalStrides = shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));
  const sizes = layout.map((dimension) => shape[dimension] as number);
  const strides = layout.map((dimension) => logicalStrides[dimension] as number);
  const order = new Uint32Array(portElementCount(port));
  const position = layout.map(() => 0);
  let logical = 0;
  for (let i = 0; i < order.length; i++) {
    order[i] = logical;
    for (let d = layout.length - 1; d >= 0; d--) {
      position[d] = (position[d] as number) + 1;
      logical += strides[d] as number;
      if ((position[d] as number) < (sizes[d] as number)) break;
      logical -= (sizes[d] as number) * (strides[d] as number);
      position[d] = 0;
    }
  }
  return order;
}

/** Writes data to the DRAM of a port, f32 converted to what is stored; equal types keep their bits. */
export function storePort(memory: Memory, port: Port, data: PortData, order: Uint32Array | undefined): void {
  const wanted = port.element === 'f32' ? Float32Array : Int16Array;
  if (!(data instanceof wanted)) throw new MachineError('wrong-data', `'${port.name}' takes a ${wanted.name} of ${port.element}`);
  const count = portElementCount(port);
  if (data.length !== count) throw new MachineError('wrong-data', `'${port.name}' takes ${count} elements, not ${data.length}`);
  const start = memory.offset('dram', port.address);
  if (port.element === port.stored) {
    const [to, from] = bitViews(memory, data);
    const first = start / to.BYTES_PER_ELEMENT;
    if (order === undefined) to.set(from, first);
    else for (let i = 0; i < count; i++) to[first + i] = from[order[i] as number] as number;
  } else {
    const view = storedView(memory, port);
    encodeInto(view.subarray(start / view.BYTES_PER_ELEMENT), port.stored, data, order);
  }
  memory.initialised.dram.add(port.address, port.address + port.bytes);
}

/** Reads the data of a port from DRAM, in the user's order and type. */
export function loadPort(memory: Memory, port: Port, order: Uint32Array | undefined): PortData {
  const missing = memory.initialised.dram.firstMissing(port.address, port.address + port.bytes);
  if (missing !== undefined)
    throw new MachineError('unwritten-output', `'${port.name}' has not been written: byte ${missing - port.address} of ${port.bytes}`);
  const data = allocatePortData(port);
  const start = memory.offset('dram', port.address);
  if (port.element === port.stored) {
    const [from, to] = bitViews(memory, data);
    const first = start / from.BYTES_PER_ELEMENT;
    for (let i = 0; i < data.length; i++) to[order?.[i] ?? i] = from[first + i] as number;
  } else {
    const decode = decoderOf(port.stored);
    const from = storedView(memory, port);
    const first = start / from.BYTES_PER_ELEMENT;
    for (let i = 0; i < data.length; i++) data[order?.[i] ?? i] = decode(from[first + i] as number);
  }
  return data;
}

/** The memory as integers of the width that a port, which is not f32 there, is stored in. */
function storedView(memory: Memory, { stored }: Port): Int8Array | Int16Array {
  return elementBytes(stored) === 1 ? memory.signedBytes : memory.halves;
}

/** The memory and the data as integers of the same width, which copies no NaN's payload away. */
function bitViews(memory: Memory, data: PortData): [Int32Array, Int32Array] | [Int16Array, Int16Array] {
  return data instanceof Float32Array ? [memory.words, new Int32Array(data.buffer, data.byteOffset, data.length)] : [memory.halves, data];
}
