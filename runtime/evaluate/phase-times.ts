/** Wall time of the phases of some work. */

export interface PhaseTime<Phase extends string> {
  readonly phase: Phase;
  /** How often it came. */
  readonly calls: number;
  readonly seconds: number;
}

/** Measures phases, which must not nest, and adds up those of the same name. */
export interface Phases<Phase extends string> {
  time<T>(phase: Phase, work: () => T): T;
  /** The time until a promise is settled, of which it may be ready before. */
  wait<T>(phase: Phase, promise: Promise<T>): Promise<T>;
}

/** Measures nothing. */
export const UNMEASURED: Phases<string> = { time: (_phase, work) => work(), wait: (_phase, promise) => promise };

export class PhaseTimes<Phase extends string> implements Phases<Phase> {
  readonly #now: () => number;
  readonly #times = new Map<Phase, { calls: number; seconds: number }>();

  /** Takes a clock in seconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What the phases have taken so far, in order of their first end. */
  get times(): readonly PhaseTime<Phase>[] {
    return [...this.#times].map(([phase, time]) => ({ phase, ...time }));
  }

  time<T>(phase: Phase, work: () => T): T {
    const start = this.#now();
    try {
      return work();
    } finally {
      this.#add(phase, this.#now() - start);
    }
  }

  async wait<T>(phase: Phase, promise: Promise<T>): Promise<T> {
    const start = this.#now();
    try {
      return await promise;
    } finally {
      this.#add(phase, this.#now() - start);
    }
  }

  #add(phase: Phase, seconds: number): void {
    const known = this.#times.get(phase);
    if (known === undefined) this.#times.set(phase, { calls: 1, seconds });
    else {
      known.calls++;
      known.seconds += seconds;
    }
  }
}
