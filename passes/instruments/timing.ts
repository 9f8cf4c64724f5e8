/** How long each pass ran. Times depend on the host, so they never enter a compile's result. */
import type { PassObserver } from '../manager.ts';
import { printStep } from '../pipeline-text.ts';

export interface PassTime {
  readonly step: string;
  readonly milliseconds: number;
}

export interface Timing extends PassObserver {
  /** One entry for each pass that has run, in order. */
  readonly times: readonly PassTime[];
}

/** Times the passes by a clock that gives milliseconds. Put it last among the observers to leave the others' time out. */
export function timing(now: () => number): Timing {
  const times: PassTime[] = [];
  let start = 0;
  return {
    times,
    beforePass() {
      start = now();
    },
    afterPass({ step }) {
      times.push({ step: printStep(step), milliseconds: now() - start });
    },
  };
}

/** A table, one line a pass and one for the sum. */
export function renderTiming(times: readonly PassTime[]): string {
  const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const line = (milliseconds: number, step: string): string => {
    const share = total > 0 ? (100 * milliseconds) / total : 0;
    return `${milliseconds.toFixed(2).padStart(10)} ms ${share.toFixed(1).padStart(5)}%  ${step}`;
  };
  return [...times.map(({ milliseconds, step }) => line(milliseconds, step)), line(total, 'total')].join('\n');
}
