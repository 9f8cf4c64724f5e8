/** Memory of a machine at some instruction, as text. */
import { InvalidArgumentError } from 'commander';
import type { Space } from '../../isa/fields.ts';
import { SPACES } from '../../isa/fields.ts';
import type { Machine } from '../../runtime/machine/machine.ts';
import type { Observer } from '../../runtime/machine/observer.ts';

const LINE_BYTES = 16;

/** Bytes of a memory, before an instruction executes for the first time, or at the end. */
export interface DumpRequest {
  readonly space: Space;
  readonly start: number;
  readonly bytes: number;
  readonly index: number | undefined;
}

export interface Dump extends DumpRequest {
  /** Undefined when the instruction has not been executed. */
  readonly content: Uint8Array | undefined;
}

const REQUEST = /^([a-z]+):(0x[0-9a-f]+|\d+):(0x[0-9a-f]+|\d+)(?:@(\d+))?$/i;

/** `vector:0x40:256@12`, collected. */
export function parseDump(text: string, known: readonly DumpRequest[] = []): readonly DumpRequest[] {
  const [, name, start, bytes, index] = REQUEST.exec(text) ?? [];
  const space = SPACES.find((candidate) => candidate === name?.toLowerCase());
  if (!space)
    throw new InvalidArgumentError('It must have the form SPACE:START:BYTES[@INSTRUCTION], where SPACE is dram, vector or matrix.');
  return [...known, { space, start: Number(start), bytes: Number(bytes), index: index === undefined ? undefined : Number(index) }];
}

/** Takes dumps while a machine runs. */
export class Dumper implements Observer {
  readonly #machine: Machine;
  readonly #requests: readonly DumpRequest[];
  readonly #contents = new Map<DumpRequest, Uint8Array>();

  constructor(machine: Machine, requests: readonly DumpRequest[]) {
    this.#machine = machine;
    this.#requests = requests;
    // So that a range outside of the memory is refused before anything runs.
    for (const { space, start, bytes } of requests) machine.dump(space, start, bytes);
  }

  step({ pc }: { readonly pc: number }): void {
    for (const request of this.#requests) if (request.index === pc && !this.#contents.has(request)) this.#take(request);
  }

  /** All dumps, once the machine stands still. */
  finish(): readonly Dump[] {
    for (const request of this.#requests)
      if (request.index === undefined || request.index === this.#machine.pc) if (!this.#contents.has(request)) this.#take(request);
    return this.#requests.map((request) => ({ ...request, content: this.#contents.get(request) }));
  }

  #take(request: DumpRequest): void {
    this.#contents.set(request, this.#machine.dump(request.space, request.start, request.bytes));
  }
}

/** A heading, then 16 bytes a line: address, bytes, and the f32 numbers that they would be. */
export function renderDump({ space, start, bytes, index, content }: Dump): string {
  const when = index === undefined ? 'at the end' : `before instruction ${index}`;
  const head = `${space} ${hexadecimal(start)}..${hexadecimal(start + bytes)} ${when}`;
  if (!content) return `${head}: not executed\n`;
  const lines = [`${head}:`];
  for (let at = 0; at < content.length; at += LINE_BYTES) {
    const row = content.subarray(at, at + LINE_BYTES);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    lines.push(`  ${hexadecimal(start + at)}  ${hex.padEnd(3 * LINE_BYTES - 1)}  ${floatsOf(row)}`.trimEnd());
  }
  return `${lines.join('\n')}\n`;
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

function floatsOf(row: Uint8Array): string {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  return Array.from({ length: Math.floor(row.length / 4) }, (_, i) => Number(view.getFloat32(4 * i, true).toPrecision(6))).join(' ');
}
