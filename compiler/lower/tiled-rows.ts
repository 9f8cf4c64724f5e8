/** Memory operands of the tiled interpreter: rows of elements of one type, in named buffers instead of addresses. */
import type { ElementCode } from '../../isa/fields.ts';
import { ELEMENT_CODES } from '../../isa/fields.ts';
import { canonical } from '../../runtime/numerics/float.ts';
import { isNarrow, toNarrow, widened } from '../../runtime/numerics/narrow.ts';

/** An array whose elements are those of a type, raw: bits of narrow floats. */
const ARRAYS = {
  fx16: Int16Array,
  f32: Float32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  q16: Int16Array,
  i8: Int8Array,
  f8e4m3: Uint8Array,
  f8e5m2: Uint8Array,
  i32: Int32Array,
} as const satisfies Readonly<Record<Exclude<ElementCode, 'i64'>, unknown>>;

type View<A> = new (buffer: ArrayBuffer, byteOffset: number, length: number) => A;

/** `rows` rows of `width` elements, plane after plane. */
export class Rows {
  readonly rows: number;
  readonly width: number;
  readonly #element: ElementCode;
  readonly #buffer: ArrayBuffer;
  readonly #start: (row: number) => number;

  /** `start` gives the byte in the buffer where a row starts. */
  constructor(buffer: ArrayBuffer, element: ElementCode, rows: number, width: number, start: (row: number) => number) {
    this.#buffer = buffer;
    this.#element = element;
    this.rows = rows;
    this.width = width;
    this.#start = start;
  }

  bytes(row: number): Uint8Array {
    return this.as(row, Uint8Array);
  }

  /** A row under another type of array, as many elements as its bytes are. */
  as<A>(row: number, view: View<A> & { readonly BYTES_PER_ELEMENT: number }): A {
    return new view(this.#buffer, this.#start(row), (this.width * ELEMENT_CODES[this.#element].bytes) / view.BYTES_PER_ELEMENT);
  }

  /** The numbers of a row; integers are raw. Not of 64 bits. */
  numbers(row: number): ArrayLike<number> {
    const element = this.#element;
    if (element === 'i64') throw new TypeError('64-bit integers are no numbers');
    if (isNarrow(element)) return widened(element, this.as<Uint8Array | Uint16Array>(row, ARRAYS[element]));
    return this.as<ArrayLike<number>>(row, ARRAYS[element]);
  }

  /** Integers of a row, of `count` from the one of index `first` on. */
  wholes(row: number, element: 'i32' | 'i64', first: number, count: number): readonly bigint[] {
    const all = element === 'i32' ? this.as(row, Int32Array) : this.as(row, BigInt64Array);
    return Array.from(all.subarray(first, first + count), BigInt);
  }

  /** Stores the number of each element, rounded to the type once; a number may be computed from what stands in its own place. */
  write(row: number, numberAt: (index: number) => number): void {
    const element = this.#element;
    if (element === 'i64') throw new TypeError('64-bit integers are no numbers');
    const to = this.as<Record<number, number>>(row, ARRAYS[element]);
    for (let i = 0; i < this.width; i++) {
      const x = numberAt(i);
      to[i] = isNarrow(element) ? toNarrow(element, Math.fround(x)) : element === 'f32' ? canonical(x) : x;
    }
  }

  /** Adds integers to the accumulators of a row, or stores them; they wrap. */
  addWhole(row: number, continues: boolean, wholeAt: (index: number) => number): void {
    const to = this.#element === 'i64' ? this.as(row, BigInt64Array) : undefined;
    if (to) for (let i = 0; i < this.width; i++) to[i] = (continues ? (to[i] as bigint) : 0n) + BigInt(wholeAt(i));
    else {
      const words = this.as(row, Int32Array);
      for (let i = 0; i < this.width; i++) words[i] = (continues ? (words[i] as number) : 0) + wholeAt(i);
    }
  }

  /** Raw bits into every element of the first row: the low ones, or with the sign extended. */
  fill(bits: number): void {
    const size = ELEMENT_CODES[this.#element].bytes;
    if (size === 8) this.as(0, BigInt64Array).fill(BigInt(bits | 0));
    else if (size === 4) this.as(0, Int32Array).fill(bits);
    else if (size === 2) this.as(0, Int16Array).fill(bits);
    else this.as(0, Int8Array).fill(bits);
  }
}
