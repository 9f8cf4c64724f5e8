/**
 * The wire format of protocol buffers, read-only and bounded: nothing is allocated for a field before it is asked for, payloads are views
 * into the file, and what is decoded counts against a budget, so that no file can exhaust memory, time or the stack.
 * Encoding: https://protobuf.dev/programming-guides/encoding.
 */
import { BUDGET_OPTION, memoryBudget, printBytes } from '../../runtime/budget.ts';

/** What decoded messages take, by estimate, out of the memory budget; tensors are views of the file and do not count. */
const BYTES_PER_FIELD = 512;
const BYTES_PER_ELEMENT = 8;

/** A file that is no protocol buffer: cut short, malformed or beyond the budget. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

const utf8 = new TextDecoder();

/** The fields of one message in file order: `next()` moves to a field, and one of the typed methods reads it; unread fields are skipped. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  /** Position of `bytes` in the file. */
  readonly #base: number;
  readonly #budget: { bytes: number };
  readonly #cursor: VarintReader;
  #next = 0;
  #field = 0;
  #wireType = VARINT;
  #payload: Uint8Array;

  constructor(bytes: Uint8Array, base = 0, budget: { bytes: number } = { bytes: memoryBudget() }) {
    this.#bytes = bytes;
    this.#base = base;
    this.#budget = budget;
    this.#cursor = new VarintReader(bytes);
    this.#payload = bytes;
  }

  /** Moves to the next field and returns its number; 0 at the end of the message. */
  next(): number {
    if (this.#next === this.#bytes.length) return 0;
    this.#spend(BYTES_PER_FIELD);
    this.#cursor.at = this.#next;
    const key = this.#cursor.number();
    this.#field = Math.floor(key / 8);
    this.#wireType = key & 7;
    if (this.#field < 1 || this.#field >= 2 ** 29) throw new WireError(`no field starts at byte ${this.#base + this.#next}`);
    const length = this.#payloadLength();
    const start = this.#cursor.at;
    if (length < 0 || length > this.#bytes.length - start) {
      throw new WireError(`the file ends inside the field at byte ${this.#base + this.#next}`);
    }
    this.#payload = this.#bytes.subarray(start, start + length);
    this.#next = start + length;
    return this.#field;
  }

  message(): MessageReader {
    this.#expect(LENGTH_DELIMITED);
    return new MessageReader(this.#payload, this.#base + this.#next - this.#payload.length, this.#budget);
  }

  /** A view of the file. */
  bytes(): Uint8Array {
    this.#expect(LENGTH_DELIMITED);
    return this.#payload;
  }

  string(): string {
    return utf8.decode(this.bytes());
  }

  /** A signed integer of up to 64 bits; beyond ±2^53 it is rounded. */
  integer(): number {
    this.#expect(VARINT);
    return new VarintReader(this.#payload).number();
  }

  float(): number {
    this.#expect(FIXED32);
    return new DataView(this.#payload.buffer, this.#payload.byteOffset, 4).getFloat32(0, true);
  }

  /** Appends one element, or many packed together, of a repeated integer field. */
  integersTo(list: number[]): void {
    for (const varints = new VarintReader(this.varints()); !varints.done;) {
      this.#spend(BYTES_PER_ELEMENT);
      list.push(varints.number());
    }
  }

  /** Appends one element, or many packed together, of a repeated f32 field. */
  floatsTo(list: number[]): void {
    const { buffer, byteOffset, length } = this.fixed();
    if (length % 4 !== 0) throw new WireError(`${length} bytes of 4-byte elements`);
    this.#spend((length / 4) * BYTES_PER_ELEMENT);
    const view = new DataView(buffer, byteOffset, length);
    for (let at = 0; at < length; at += 4) list.push(view.getFloat32(at, true));
  }

  /** One element, or many packed together, of a repeated field of 4- or 8-byte elements: a view of the file. */
  fixed(): Uint8Array {
    this.#expect(FIXED32, FIXED64, LENGTH_DELIMITED);
    return this.#payload;
  }

  /** One element, or many packed together, of a repeated integer field, as a view of the file for a `VarintReader`. */
  varints(): Uint8Array {
    this.#expect(VARINT, LENGTH_DELIMITED);
    return this.#payload;
  }

  #spend(bytes: number): void {
    this.#budget.bytes -= bytes;
    if (this.#budget.bytes < 0)
      throw new WireError(`its fields take more than the memory budget of ${printBytes(memoryBudget())}, which ${BUDGET_OPTION} raises`);
  }

  /** Reads what stands between the key and the payload. */
  #payloadLength(): number {
    switch (this.#wireType) {
      case VARINT: {
        const start = this.#cursor.at;
        this.#cursor.number();
        const length = this.#cursor.at - start;
        this.#cursor.at = start;
        return length;
      }
      case FIXED64:
        return 8;
      case LENGTH_DELIMITED:
        return this.#cursor.number();
      case FIXED32:
        return 4;
      default:
        throw new WireError(`the field at byte ${this.#base + this.#next} has the unknown wire type ${this.#wireType}`);
    }
  }

  #expect(...wireTypes: readonly number[]): void {
    if (wireTypes.includes(this.#wireType)) return;
    const at = this.#base + this.#next - this.#payload.length;
    throw new WireError(`field ${this.#field} before byte ${at} has the wire type ${this.#wireType} instead of ${wireTypes.join(' or ')}`);
  }
}

/** Reads variable-length integers one after another. */
export class VarintReader {
  /** Where the next one starts. */
  at = 0;
  readonly #bytes: Uint8Array;
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.at === this.#bytes.length;
  }

  /** The next integer as a signed number, rounded beyond ±2^53. */
  number(): number {
    this.#read();
    return this.#high * 2 ** 32 + this.#low;
  }

  /** The next integer, exact. */
  bigint(): bigint {
    this.#read();
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }

  /** Leaves the 64 bits in `low` (unsigned) and `high` (signed). */
  #read(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) throw new WireError('the file ends inside a number');
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift > 25) high |= shift < 32 ? bits >>> (32 - shift) : bits << (shift - 32);
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high;
        return;
      }
    }
    throw new WireError('a number has more than 64 bits');
  }
}
