/** The host's side of a port: the user's element type and layout to those of DRAM, and back. */
import type { Port, StoredElement } from '../../isa/program.ts';
import { portElementCount } from '../../isa/program.ts';
import { elementBytes } from '../numerics/element.ts';
import { decodeInto, encodeInto } from '../numerics/store.ts';
import { MachineError } from './error.ts';
import type { Memory } from './memory.ts';
import { Reorder } from './reorder.ts';

/** Data of a port in the user's logical order: f32 numbers, or raw integers of a fixed-point type. */
export type PortData = Float32Array | Int16Array;

type Elements = Float32Array | Int16Array | Int8Array;

/** An array for the elements of a port as the user sees them. */
export function allocatePortData(port: Port): PortData {
  const count = portElementCount(port);
  return port.element === 'f32' ? new Float32Array(count) : new Int16Array(count);
}

/** What the host does at one port of one machine: the plan of it, and room for what stands between two steps. */
export class PortTransfer {
  readonly #port: Port;
  readonly #count: number;
  /** From the user's order to that of DRAM; undefined where they are the same. */
  readonly #reorder: Reorder | undefined;
  readonly #back: Reorder | undefined;
  /** Whether what is stored has the user's bits. */
  readonly #keepsBits: boolean;
  #numbers = new Float32Array(0);
  #reordered = new Int32Array(0);

  constructor(port: Port) {
    this.#port = port;
    this.#count = portElementCount(port);
    this.#reorder = Reorder.of(port.shape, port.layout);
    this.#back = this.#reorder?.inverse();
    this.#keepsBits = port.element === port.stored && port.via.length === 0;
  }

  /** Writes data to the DRAM of the port. */
  store(memory: Memory, data: PortData): void {
    const { element, stored, via, name, address, bytes } = this.#port;
    const wanted = element === 'f32' ? Float32Array : Int16Array;
    if (!(data instanceof wanted)) throw new MachineError('wrong-data', `'${name}' takes a ${wanted.name} of ${element}`);
    if (data.length !== this.#count) throw new MachineError('wrong-data', `'${name}' takes ${this.#count} elements, not ${data.length}`);
    if (this.#keepsBits && data instanceof Float32Array && this.#reorder) {
      this.#reorder.apply(wordsOf(data), 0, memory.words, memory.offset('dram', address) / 4);
    } else {
      const ordered = this.#reorder ? this.#inOrder(this.#reorder, data) : data;
      const to = this.#storedElements(memory);
      if (this.#keepsBits) bitsOf(to).set(bitsOf(ordered));
      else encodeInto(to, stored, this.#passed(ordered, element, via));
    }
    memory.initialised.dram.add(address, address + bytes);
  }

  /** Reads the data of the port from DRAM, in the user's order and type. */
  load(memory: Memory): PortData {
    const { element, stored, via, name, address, bytes } = this.#port;
    const missing = memory.initialised.dram.firstMissing(address, address + bytes);
    if (missing !== undefined)
      throw new MachineError('unwritten-output', `'${name}' has not been written: byte ${missing - address} of ${bytes}`);
    const data = allocatePortData(this.#port);
    if (this.#keepsBits && data instanceof Float32Array && this.#back) {
      this.#back.apply(memory.words, memory.offset('dram', address) / 4, wordsOf(data), 0);
      return data;
    }
    const from = this.#storedElements(memory);
    if (this.#keepsBits) bitsOf(data).set(bitsOf(from));
    else encodeInto(data, element, this.#passed(from, stored, via));
    if (this.#back) data.set(this.#inOrder(this.#back, data));
    return data;
  }

  /** The port's elements in DRAM. */
  #storedElements(memory: Memory): Elements {
    const { stored, address } = this.#port;
    const size = elementBytes(stored);
    const view = stored === 'f32' ? memory.floats : size === 1 ? memory.signedBytes : memory.halves;
    const first = memory.offset('dram', address) / size;
    return view.subarray(first, first + this.#count);
  }

  /** The real numbers of elements, rounded to each of the types that they pass. */
  #passed(elements: Elements, element: StoredElement, via: readonly StoredElement[]): Float32Array {
    if (element === 'f32' && via.length === 0 && elements instanceof Float32Array) return elements;
    if (this.#numbers.length !== this.#count) this.#numbers = new Float32Array(this.#count);
    const numbers = this.#numbers;
    decodeInto(numbers, element, elements);
    for (const each of via) {
      if (each === 'f32') continue;
      const rounded = elementBytes(each) === 1 ? new Int8Array(this.#count) : new Int16Array(this.#count);
      encodeInto(rounded, each, numbers);
      decodeInto(numbers, each, rounded);
    }
    return numbers;
  }

  /** Elements in another order, which stand in room that the next call uses again. */
  #inOrder(reorder: Reorder, data: PortData): PortData {
    if (this.#reordered.length !== this.#count) this.#reordered = new Int32Array(this.#count);
    const to = this.#reordered;
    // Narrower elements are moved as words too: a loop over arrays of several kinds takes twice the time.
    reorder.apply(data instanceof Float32Array ? wordsOf(data) : Int32Array.from(data), 0, to, 0);
    return data instanceof Float32Array ? new Float32Array(to.buffer) : Int16Array.from(to);
  }
}

function wordsOf({ buffer, byteOffset, length }: Float32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length);
}

/** Elements as integers of their width, which copies no NaN's payload away. */
function bitsOf(elements: Elements): Int32Array | Int16Array | Int8Array {
  return elements instanceof Float32Array ? wordsOf(elements) : elements;
}
