/** An observer that writes one line for each executed instruction. */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import { printInstruction } from '../../isa/assembly.ts';
import type { Program } from '../../isa/program.ts';
import { sourceOf } from '../../isa/program.ts';
import type { Observer, Step } from './observer.ts';

export interface TraceOptions {
  /** Lines to write; the rest is counted only. */
  readonly limit?: number;
}

/** Traces steps of a program to `write`: index, instruction, memory ranges, the graph operation that it belongs to. */
export class Trace implements Observer {
  readonly #program: Program;
  readonly #write: (line: string) => void;
  readonly #limit: number;
  /** Instructions seen, written or not. */
  steps = 0;

  constructor(program: Program, write: (line: string) => void, { limit = Infinity }: TraceOptions = {}) {
    this.#program = program;
    this.#write = write;
    this.#limit = limit;
  }

  step(step: Step): void {
    if (this.steps++ < this.#limit) this.#write(traceLine(step, this.#program));
  }
}

/** `12  VAV $1, $2, $3, $4  vector[0x40,0x80) <- vector[0x0,0x40) vector[0x80,0xc0)  ; conv1`. */
export function traceLine({ pc, instruction, accesses, taken }: Step, program: Program): string {
  const written = accesses.filter(({ mode, rows }) => mode !== 'read' && rows > 0).map(printRange);
  const read = accesses.filter(({ mode, rows }) => mode !== 'write' && rows > 0).map(printRange);
  const effects = [...written, ...(read.length > 0 ? ['<-'] : []), ...read, ...(taken ? ['taken'] : [])];
  const node = sourceOf(program, pc)?.node;
  return [
    String(pc),
    printInstruction(instruction),
    ...(effects.length > 0 ? [effects.join(' ')] : []),
    ...(node === undefined ? [] : [`; ${node}`]),
  ].join('  ');
}

function printRange({ space, low, end, rows, planes, strideBytes, planeStrideBytes }: ResolvedAccess): string {
  const repeated = [
    ...(rows > 1 ? [`${rows} rows by ${strideBytes}`] : []),
    ...(planes > 1 ? [`${planes} planes by ${planeStrideBytes}`] : []),
  ].join(', ');
  return `${space}[0x${low.toString(16)},0x${end.toString(16)})${repeated === '' ? '' : ` (${repeated})`}`;
}
