/** Crash reproducers: when a pass fails, the graph before it and how to run the pass on it again, in one text. */
import { fail } from '../../compiler/ir/diagnostic.ts';
import { printGraph } from '../../compiler/ir/text.ts';
import type { PassInvocation } from '../pass.ts';
import type { Vocabulary } from '../pipeline-text.ts';
import { parsePipeline, printPipeline, printStep } from '../pipeline-text.ts';
import type { PassObserver } from '../manager.ts';
import type { BisectGate } from './bisect.ts';

export interface Reproducer {
  /** A graph in text form under a header of comments; the first one is the command that runs it again. */
  readonly text: string;
  /** Bytes of the constants that the text names by hash, for its side file. */
  readonly constants: ReadonlyMap<string, Uint8Array>;
}

export interface ReproducerOptions {
  /** Options of `opt` beside the pipeline under which the failure showed: `--verify-each`. */
  readonly options?: string;
  /** The gate of the run; the reproducer holds back the same transformations. */
  readonly bisect?: BisectGate;
  readonly write: (reproducer: Reproducer) => void;
}

/** Writes a reproducer for the pass that fails, or after which another observer finds something wrong. */
export function crashReproducer({ options = '', bisect, write }: ReproducerOptions): PassObserver {
  let pipeline: readonly PassInvocation[] = [];
  let askedBefore = 0;
  return {
    beforePipeline(_graph, steps) {
      pipeline = steps;
    },
    beforePass() {
      askedBefore = bisect?.asked ?? 0;
    },
    afterFailure({ index, step, before }, error) {
      const limit = bisect && Number.isFinite(bisect.limit) ? `--bisect-limit ${Math.max(0, bisect.limit - askedBefore)}` : '';
      const command = ['opt', '-p', JSON.stringify(printStep(step)), options, limit].filter((part) => part !== '').join(' ');
      const { text, constants } = printGraph(before);
      const header = [
        `RUN: ${command}`,
        `PIPELINE: ${printPipeline(pipeline)}`,
        `FAILED: step ${index + 1}, ${printStep(step)}`,
        ...`ERROR: ${error instanceof Error ? error.message : String(error)}`.split('\n'),
      ];
      write({ text: `${header.map((line) => `// ${line}`).join('\n')}\n${text}`, constants });
    },
  };
}

/** What the `// RUN: opt …` line at the head of a text asks for. */
export interface RunLine {
  readonly pipeline: readonly PassInvocation[];
  /** The other arguments, as words. */
  readonly options: readonly string[];
}

const RUN = /^\/\/ RUN: opt -p ("(?:[^"\\]|\\.)*")(.*)$/m;

/** Reads the command in the header of a reproducer or of a test file. */
export function parseRunLine(text: string, file: string, vocabulary?: Vocabulary): RunLine {
  const found = RUN.exec(text);
  if (!found) return fail('invalid', 'pipeline/no-run-line', 'has no line of the form // RUN: opt -p "pipeline"', { place: [file] });
  const [, quoted = '""', rest = ''] = found;
  const options = rest.split(/\s+/).filter((word) => word !== '');
  return { pipeline: parsePipeline(unquoted(quoted, file), vocabulary), options };
}

function unquoted(text: string, file: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return fail('invalid', 'pipeline/no-run-line', `${text} is not a valid JSON string`, { place: [file] });
  }
}
