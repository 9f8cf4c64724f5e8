/** A command of the user as a check: it is shown what was compiled, and its exit status says whether that is good. */
import { join } from 'node:path';
import { encodeContainer } from '../../isa/container.ts';
import type { Target } from '../../isa/target.ts';
import type { CheckSpec } from '../../runtime/bisect/check.ts';
import { runCommand, withTemporaryFolder } from '../../runtime/platform/command.ts';
import { writeFile } from '../../runtime/platform/node.ts';
import { exportOnnx } from '../frontend/export.ts';
import { fail } from '../ir/diagnostic.ts';
import type { Graph } from '../ir/graph.ts';
import { printGraph } from '../ir/text.ts';
import { compileModel } from '../pipeline.ts';
import { writePrinted } from './graph-file.ts';
import { containerInfo } from './producer.ts';
import { failUnknown } from './suggest.ts';

/** What a command can be shown, each in a file of its own. */
const PLACEHOLDERS = {
  graph: { doc: 'the graph as text', file: 'graph.pir', write: (path: string, graph: Graph) => writePrinted(printGraph(graph), path) },
  onnx: {
    doc: 'the graph as an ONNX model',
    file: 'graph.onnx',
    write: (path: string, graph: Graph) => writeFile(path, exportOnnx(graph)),
  },
  program: {
    doc: 'the program for the target',
    file: 'program.cam',
    write: (path: string, graph: Graph, target: Target) =>
      writeFile(path, encodeContainer(compileModel(graph, { target, passes: [] }).program, containerInfo(target))),
  },
} as const;
type Placeholder = keyof typeof PLACEHOLDERS;
const NAMES = Object.keys(PLACEHOLDERS) as readonly Placeholder[];

/** For help texts. */
export const COMMAND_PROTOCOL = `In a check command {graph}, {onnx} and {program} stand for files with what the passes made. Exit status 0 says that it is good, 125 that it cannot be
told (as \`git bisect run\` has it), 1 to 124 that it is bad; another one stops the search.`;

/** Statuses from here on say that the shell could not run the command, or that a signal ended it. */
const FIRST_BROKEN_STATUS = 126;

/** Throws a usage diagnostic for a placeholder that there is not. */
export function checkCommand(text: string, target: Target, signal?: AbortSignal): CheckSpec {
  const used = placeholdersIn(text);
  const run = (graph: Graph): Promise<number> =>
    withTemporaryFolder(async (folder) => {
      const path = (name: Placeholder): string => join(folder, PLACEHOLDERS[name].file);
      for (const name of used) PLACEHOLDERS[name].write(path(name), graph, target);
      const command = used.reduce((line, name) => line.replaceAll(`{${name}}`, path(name)), text);
      const result = await runCommand(command, signal);
      if ('status' in result && result.status < FIRST_BROKEN_STATUS) return result.status;
      const how = 'status' in result ? `exit status ${result.status}` : `signal ${result.signal}`;
      return fail('usage', 'check/command', `the check command ended with ${how}`, { place: [text] });
    });
  return { kind: 'command', text, run };
}

function placeholdersIn(text: string): readonly Placeholder[] {
  const used = [...text.matchAll(/\{([a-z]+)\}/g)].map(([, name = '']) => name);
  return [...new Set(used)].map(
    (name) =>
      NAMES.find((each) => each === name) ??
      failUnknown(
        'check/placeholder',
        'placeholder',
        `{${name}}`,
        NAMES.map((each) => `{${each}}`),
      ),
  );
}
