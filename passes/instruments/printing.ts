/** Graphs as text around passes: printed, or dumped to one file a pass. */
import { equalGraphs } from '../../compiler/ir/equal.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { printGraph } from '../../compiler/ir/text.ts';
import type { PassEvent, PassObserver } from '../manager.ts';
import { printStep } from '../pipeline-text.ts';

/** Names of passes, or all of them. */
export type PassSelection = 'all' | readonly string[];

export interface PrintingOptions {
  readonly before?: PassSelection;
  readonly after?: PassSelection;
  /** After passes that changed the graph, and one line for each that did not. */
  readonly changed?: boolean;
  readonly write: (text: string) => void;
}

/** Prints graphs, each under a heading in the comment syntax of graphs. */
export function printing({ before = [], after = [], changed = false, write }: PrintingOptions): PassObserver {
  const show = (when: string, event: PassEvent, graph: Graph): void => write(`// ${when} ${heading(event)}\n${printGraph(graph).text}`);
  return {
    beforePass(event) {
      if (selects(before, event)) show('before', event, event.before);
    },
    afterPass(event, { after: graph }) {
      const same = graph === event.before || equalGraphs(graph, event.before);
      if (selects(after, event) || (changed && !same)) show('after', event, graph);
      else if (changed) write(`// unchanged by ${heading(event)}\n`);
    },
  };
}

/** Writes each graph to a file: `00-input.pir`, then `NN-pass.pir` after the NN-th pass. */
export function dumping(write: (file: string, graph: Graph) => void): PassObserver {
  const number = (n: number): string => String(n).padStart(2, '0');
  return {
    beforePipeline: (graph) => write(`${number(0)}-input.pir`, graph),
    afterPass: ({ index, step }, { after }) => write(`${number(index + 1)}-${step.pass.name}.pir`, after),
  };
}

function selects(selection: PassSelection, { step }: PassEvent): boolean {
  return selection === 'all' || selection.includes(step.pass.name);
}

function heading({ index, step }: PassEvent): string {
  return `step ${index + 1}: ${printStep(step)}`;
}
