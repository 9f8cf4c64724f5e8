/** How long the instructions of a program take on this computer, as an engine measures them: wall time, not modelled cycles. */
import * as layout from './layout.ts';

/** What one static instruction has taken so far. Times are seconds, those of the clock left out. */
export interface InstructionTime {
  /** Executions by the engine's own kernels, and their time. */
  readonly executions: number;
  readonly seconds: number;
  /** Executions that were left to the plain engine, and their time. */
  readonly plainExecutions: number;
  readonly plainSeconds: number;
  /** Executions of the scalar and control instructions in front of it, which are measured as one, and their time. */
  readonly scalars: number;
  readonly scalarSeconds: number;
}

const CALIBRATION_READINGS = 20_000;
const CALIBRATIONS = 5;

/** The least of some means: interruptions only add. */
function leastOf(clockSeconds: (readings: number) => number): number {
  return Math.min(...Array.from({ length: CALIBRATIONS }, () => clockSeconds(CALIBRATION_READINGS)));
}

/** Gathers the times of one machine, to which it is given when the machine is made. */
export class InstructionTimes {
  /** A clock in seconds. */
  readonly now: () => number;
  readonly #plain: Float64Array;
  #plainReadings = 0;
  #readingSeconds: number;
  #memory: DataView | undefined;
  #tableAt = 0;

  constructor(instructions: number, now: () => number) {
    this.now = now;
    this.#plain = new Float64Array(2 * instructions);
    this.#readingSeconds = leastOf((readings) => {
      const start = now();
      let end = start;
      for (let i = 0; i < readings; i++) end = now();
      return (end - start) / readings;
    });
  }

  /** Bytes of the table that the fast engine keeps in its memory. */
  static tableBytes(instructions: number): number {
    return (instructions + 1) * layout.TIMES_BYTES;
  }

  /** For the fast engine: its table, and how it measures what a reading of the clock takes. */
  attach(memory: DataView, tableAt: number, clockSeconds: (readings: number) => number): void {
    this.#memory = memory;
    this.#tableAt = tableAt;
    this.#readingSeconds = leastOf(clockSeconds);
  }

  /** Reads the clock for the engine. */
  start(): number {
    this.#plainReadings++;
    return this.now();
  }

  /** Notes that the plain engine has executed an instruction, for which the clock was read at `start`. */
  endPlain(pc: number, start: number): void {
    const seconds = this.start() - start - this.#readingSeconds;
    this.#plain[2 * pc] = (this.#plain[2 * pc] ?? 0) + 1;
    this.#plain[2 * pc + 1] = (this.#plain[2 * pc + 1] ?? 0) + seconds;
  }

  /** Seconds that a reading of the clock takes. */
  get readingSeconds(): number {
    return this.#readingSeconds;
  }

  /** How often the clock was read. */
  get readings(): number {
    return this.#plainReadings + (this.#memory?.getFloat64(layout.CLOCK_READINGS, true) ?? 0);
  }

  /** By index of the instruction; its number is the end of the program, which has scalar instructions in front of it too. */
  of(pc: number): InstructionTime {
    const field = (offset: number): number => this.#memory?.getFloat64(this.#tableAt + pc * layout.TIMES_BYTES + offset, true) ?? 0;
    return {
      executions: field(0),
      seconds: field(layout.TIMES_SECONDS),
      plainExecutions: this.#plain[2 * pc] ?? 0,
      plainSeconds: this.#plain[2 * pc + 1] ?? 0,
      scalars: field(layout.TIMES_SCALARS),
      scalarSeconds: field(layout.TIMES_SCALAR_SECONDS),
    };
  }
}
