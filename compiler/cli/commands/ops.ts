/** `plumbline ops`: the ops of the graph IR. */
import type { Command } from 'commander';
import { renderTable } from '../../../runtime/report/table.ts';
import { EVALUATED_OPERATORS } from '../../frontend/shape-arithmetic.ts';
import { renderOpReference } from '../../ir/ops-reference.ts';
import { OP_NAMES, opRecord } from '../../ir/ops.ts';
import type { OpName } from '../../ir/ops.ts';
import { markdownSection } from '../markdown.ts';
import { jsonOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { failUnknown } from '../suggest.ts';

interface Flags {
  readonly json?: boolean;
  readonly manual?: boolean;
}

export function addOps(program: Command): void {
  program
    .command('ops')
    .description('list the ops of graphs, or describe one')
    .argument('[name]', 'an op')
    .option('--manual', 'print the whole reference as Markdown')
    .addOption(jsonOption())
    .action(run);
}

function run(name: string | undefined, { json, manual }: Flags): void {
  if (name === undefined) {
    if (json) printJson({ schema: 'plumbline.ops/1', ops: OP_NAMES.map(asJson), evaluated: EVALUATED_OPERATORS });
    else print(manual ? renderOpReference() : `${renderAll()}\n${EVALUATED}`);
    return;
  }
  const op = OP_NAMES.find((known) => known === name) ?? failUnknown('cli/unknown-op', 'op', name, OP_NAMES);
  if (json) printJson(asJson(op));
  else print(markdownSection(renderOpReference(), op) ?? '');
}

function asJson(name: OpName): unknown {
  const { doc, inputs, attributes, traits, onnx } = opRecord(name);
  return { name, doc, inputs, attributes, traits, ...(onnx && { onnx }) };
}

/** Lines of names. */
const EVALUATED = [
  'ONNX operators that are evaluated at import where their operands are known:',
  ...(EVALUATED_OPERATORS.join(' ').match(/.{1,110}(?= |$)/g) ?? []).map((line) => `  ${line.trim()}`),
  '',
].join('\n');

function renderAll(): string {
  const rows = OP_NAMES.map((name) => {
    const { inputs, attributes, onnx, doc } = opRecord(name);
    const operands = inputs.map((input) => (input.optional ? `[${input.name}]` : input.name)).join(', ');
    return [`${name}(${operands})`, Object.keys(attributes).join(' '), onnx?.op ?? '', firstSentence(doc)];
  });
  return renderTable([{ title: 'op' }, { title: 'attributes' }, { title: 'ONNX' }, { title: 'meaning' }], rows);
}

function firstSentence(doc: string): string {
  return /^.*?\.(?=\s|$)/.exec(doc)?.[0] ?? doc;
}
