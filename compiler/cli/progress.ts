/** One line of progress on a terminal; nothing in a pipe. */
import { isTerminal, monotonicSeconds } from '../../runtime/platform/node.ts';
import { count } from '../../runtime/report/format.ts';
import { messageColors, printMessage } from './output.ts';

const INTERVAL_SECONDS = 0.2;
const ERASE_LINE = '\r\u001b[K';

export interface Progress {
  update(done: number, total: number): void;
  /** Takes the line away. */
  clear(): void;
}

const SILENT: Progress = { update: () => undefined, clear: () => undefined };

/** Shows `what: done of total, rate, time left`. */
export function progress(what: string): Progress {
  if (!isTerminal('stderr')) return SILENT;
  const start = monotonicSeconds();
  const { dim } = messageColors();
  let shown = start;
  return {
    update(done, total) {
      const now = monotonicSeconds();
      if (now - shown < INTERVAL_SECONDS) return;
      shown = now;
      const rate = done / (now - start);
      const left = remaining((total - done) / rate);
      printMessage(`${ERASE_LINE}${dim(`${what}: ${count(done)} of ${count(total)}, ${count(Math.round(rate))}/s, ${left} left`)}`);
    },
    clear: () => printMessage(ERASE_LINE),
  };
}

/** One line on a terminal that says what is going on; nothing in a pipe. */
export interface StatusLine {
  update(text: string): void;
  clear(): void;
}

export function statusLine(): StatusLine {
  if (!isTerminal('stderr')) return { update: () => undefined, clear: () => undefined };
  const { dim } = messageColors();
  return { update: (text) => printMessage(`${ERASE_LINE}${dim(text)}`), clear: () => printMessage(ERASE_LINE) };
}

/** `1:05`, minutes and seconds. */
function remaining(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
