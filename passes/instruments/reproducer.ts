/**
 * Reproducers: a graph, how to run passes on it again, and what they do wrong, in one text. The manager writes one when a pass fails.
 *
 *     // RUN: opt -p "pipeline" options        words with blanks are JSON strings
 *     // SAMPLE 1: %x = [0, 1.5]               values of an input; a line for each input of each sample
 *     // CLASS 1: 7                            the class of a sample
 *     // other lines for people
 *     graph …
 */
import { printElements, storeElement } from '../../compiler/ir/constant-text.ts';
import { fail } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { zeros } from '../../compiler/ir/tensor.ts';
import { printGraph } from '../../compiler/ir/text.ts';
import type { PassInvocation, Sample } from '../pass.ts';
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

/** A sample of a reproducer, with its class where that matters. */
export interface ReproducedSample {
  readonly inputs: Sample;
  readonly label?: number;
}

/** What a reproducer holds. */
export interface ReproducerFields {
  readonly graph: Graph;
  readonly pipeline: readonly PassInvocation[];
  /** Words behind the pipeline: `['--check', 'sqnr > 40dB']`. */
  readonly options: readonly string[];
  /** For people: `FAILED: step 2`. */
  readonly notes: readonly string[];
  readonly samples?: readonly ReproducedSample[];
  /** Constants of up to so many elements stand in the text. */
  readonly inlineElements?: number;
}

export function printReproducer({ graph, pipeline, options, notes, samples = [], inlineElements }: ReproducerFields): Reproducer {
  const command = ['opt', '-p', JSON.stringify(printPipeline(pipeline)), ...options.map(printWord)].join(' ');
  const header = [`RUN: ${command}`, ...notes.flatMap((note) => note.split('\n')), ...samples.flatMap(printSample)];
  const { text, constants } = printGraph(graph, inlineElements);
  return { text: `${header.map((line) => `// ${line}`).join('\n')}\n${text}`, constants };
}

function printWord(word: string): string {
  return /^[^\s"]+$/.test(word) ? word : JSON.stringify(word);
}

function printSample({ inputs, label }: ReproducedSample, index: number): readonly string[] {
  const values = [...inputs].map(([name, value]) => `SAMPLE ${index + 1}: %${name} = [${printElements(value).join(', ')}]`);
  return label === undefined ? values : [...values, `CLASS ${index + 1}: ${label}`];
}

export interface ReproducerOptions {
  /** Options of `opt` beside the pipeline under which the failure showed: `--verify-each`. */
  readonly options?: readonly string[];
  /** The gate of the run; the reproducer holds back the same transformations. */
  readonly bisect?: BisectGate;
  readonly write: (reproducer: Reproducer) => void;
}

/** Writes a reproducer for the pass that fails, or after which another observer finds something wrong. */
export function crashReproducer({ options = [], bisect, write }: ReproducerOptions): PassObserver {
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
      const limit = bisect && Number.isFinite(bisect.limit) ? ['--bisect-limit', String(Math.max(0, bisect.limit - askedBefore))] : [];
      write(
        printReproducer({
          graph: before,
          pipeline: [step],
          options: [...options, ...limit],
          notes: [
            `PIPELINE: ${printPipeline(pipeline)}`,
            `FAILED: step ${index + 1}, ${printStep(step)}`,
            `ERROR: ${error instanceof Error ? error.message : String(error)}`,
          ],
        }),
      );
    },
  };
}

/** What the `// RUN: opt …` line at the head of a text asks for. */
export interface RunLine {
  readonly pipeline: readonly PassInvocation[];
  /** The pipeline as it is written. */
  readonly passes: string;
  /** The other arguments, as words. */
  readonly options: readonly string[];
}

const WORD = /"(?:[^"\\]|\\.)*"|\S+/g;
const RUN = /^\/\/ RUN: opt -p ("(?:[^"\\]|\\.)*")(.*)$/m;

/** Reads the command in the header of a reproducer or of a test file. */
export function parseRunLine(text: string, file: string, vocabulary?: Vocabulary): RunLine {
  const found = RUN.exec(text);
  if (!found) return fail('invalid', 'pipeline/no-run-line', 'has no line of the form // RUN: opt -p "pipeline"', { place: [file] });
  const [, quoted = '""', rest = ''] = found;
  const passes = unquoted(quoted, file);
  const options = [...rest.matchAll(WORD)].map(([word]) => (word.startsWith('"') ? unquoted(word, file) : word));
  return { pipeline: parsePipeline(passes, vocabulary), passes, options };
}

function unquoted(text: string, file: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return fail('invalid', 'pipeline/no-run-line', `${text} is not a valid JSON string`, { place: [file] });
  }
}

/** The samples in the header of a reproducer of this graph, in order; none where it has none. */
export function parseSamples(text: string, graph: Graph, file: string): readonly ReproducedSample[] {
  const samples = new Map<number, { inputs: Map<string, Tensor>; label?: number }>();
  for (const [row, line] of text.split('\n').entries()) {
    if (!line.startsWith('//')) break;
    const [, kind, number, rest = ''] = /^\/\/ (SAMPLE|CLASS) (\d+): (.*)$/.exec(line) ?? [];
    if (kind === undefined) continue;
    const refuse = (message: string): never => fail('invalid', 'reproducer/sample', message, { place: [`${file}:${row + 1}`] });
    const sample = samples.get(Number(number)) ?? { inputs: new Map<string, Tensor>() };
    samples.set(Number(number), sample);
    if (kind === 'CLASS') sample.label = /^\d+$/.test(rest) ? Number(rest) : refuse(`${rest} is no class`);
    else sample.inputs.set(...parseSample(rest, graph, refuse));
  }
  for (const [number, { inputs }] of samples)
    for (const { name } of graph.inputs)
      if (!inputs.has(name)) fail('invalid', 'reproducer/sample', `sample ${number} has no values for input %${name}`, { place: [file] });
  return [...samples].sort(([a], [b]) => a - b).map(([, sample]) => sample);
}

/** `%x = [0, 1.5]` */
function parseSample(text: string, graph: Graph, refuse: (message: string) => never): [name: string, value: Tensor] {
  const [, name = '', list = ''] = /^%(\S+) = \[(.*)\]$/.exec(text) ?? refuse('values have the form %name = [1, 2]');
  const input = graph.inputs.find((each) => each.name === name) ?? refuse(`the graph has no input %${name}`);
  const value = zeros(input.type);
  const elements = list === '' ? [] : list.split(', ');
  if (elements.length !== value.data.length) refuse(`input %${name} has ${value.data.length} elements, not ${elements.length}`);
  for (const [i, element] of elements.entries()) {
    const wrong = storeElement(input.type.element, value.data, i, element);
    if (wrong !== undefined) refuse(`element ${i} of %${name}: ${wrong}`);
  }
  return [name, value];
}
