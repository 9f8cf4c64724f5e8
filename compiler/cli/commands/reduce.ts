/** `plumbline reduce`: writes the least graph that fails a check, as a text that fails again when `plumbline opt` runs it. */
import type { Command } from 'commander';
import { printReproducer } from '../../../passes/instruments/reproducer.ts';
import { printPipeline } from '../../../passes/pipeline-text.ts';
import { needsLabels, needsProgram, printCheck, usesSamples } from '../../../runtime/bisect/check.ts';
import type { CheckSpec } from '../../../runtime/bisect/check.ts';
import type { Reduction } from '../../../runtime/bisect/reduce.ts';
import { reduce } from '../../../runtime/bisect/reduce.ts';
import { leafElements } from '../../../runtime/bisect/shrink.ts';
import { describeFinding } from '../../../runtime/report/bisection.ts';
import { count, oneLine } from '../../../runtime/report/format.ts';
import { onSamples } from '../calibration.ts';
import type { CheckedModel, CheckedModelFlags } from '../checked-model.ts';
import { addCheckedModel, CHECK_HELP, checkedModel } from '../checked-model.ts';
import { writePrinted } from '../graph-file.ts';
import { interruptible } from '../interrupt.ts';
import { DEFAULT_TARGET, shellWord } from '../options.ts';
import { print, printJson } from '../output.ts';
import { statusLine } from '../progress.ts';

const REDUCE_SCHEMA = 'plumbline.reduce/1';

/** Elements of a constant that stand in the text; more are written to FILE.data. */
const INLINE_ELEMENTS = 2 ** 16;

interface Flags extends CheckedModelFlags {
  readonly output: string;
  readonly json?: boolean;
}

export function addReduce(program: Command): void {
  const command = program
    .command('reduce')
    .description('write the least graph that fails a check, in a text that fails again when it is run');
  addCheckedModel(command)
    .requiredOption('-o, --output <file.pir>', 'where to write it')
    .addHelpText(
      'after',
      `
Ops are dropped and cut off from what they read, whose values are recorded; passes and samples are left out; shapes and numbers are made smaller: as long as
the check fails in the same way. FILE.pir holds graph, pipeline, check and samples; \`plumbline opt FILE.pir\` runs it and fails with exit code 1;
a check command has to be given again, because no file may run anything.
Passes that need calibration statistics take them from the samples of the check, and \`opt\` from those in the file: no other data fit the parts of a graph.

${CHECK_HELP}

Exit code 0 where a file was written, or where the check holds and there is nothing to reduce.

Examples:
  plumbline reduce resnet -p O1,legalize-layout --check contract -o repro.pir
  plumbline reduce lenet-300-100 -p O1,to-fixed-point{fraction=4} --check "maxerror < 0.5" -o repro.pir && plumbline opt repro.pir`,
    )
    .action(run);
}

async function run(model: string, { output, json, ...flags }: Flags): Promise<void> {
  const shown = statusLine();
  const { subject, reduced } = await interruptible(async (signal) => {
    const { checker, ...found } = await checkedModel(model, flags, signal);
    const checked = { ...found, checker: checker.with({ calibrate: onSamples }) };
    const onTrial = (done: number, { ops, elements }: { readonly ops: number; readonly elements: number }): void =>
      shown.update(`${checked.source.name}: evaluation ${done + 1}, ${count(ops)} ops and ${count(elements)} elements left`);
    return { subject: checked, reduced: await reduce(checked, { onTrial }) };
  }).finally(() => shown.clear());
  if (reduced) write(subject, reduced, flags, output);
  if (json) printJson(asJson(subject, reduced, output));
  else print(reduced ? describe(subject, reduced, output) : `${printCheck(subject.checker.spec)} holds: there is nothing to reduce\n`);
}

function write({ source, graph, steps, checker }: CheckedModel, reduced: Reduction, flags: CheckedModelFlags, path: string): void {
  const { samples, evaluated } = reduced;
  const { spec } = checker;
  const labelled = spec.kind === 'expression' && spec.expression.some(needsLabels);
  const held = usesSamples(spec) || checker.isCalibratedOnSamples(reduced.steps) ? samples : [];
  writePrinted(
    printReproducer({
      graph: reduced.graph,
      pipeline: reduced.steps,
      options: checkOptions(spec, flags.target),
      notes: [
        `REDUCED: from ${oneLine(source.name)}, ${graph.ops.length} ops, after ${reduced.evaluations} evaluations`,
        `PIPELINE: ${printPipeline(steps)}`,
        ...evaluated.findings.filter((finding) => !finding.holds).map((finding) => `FAILED: ${oneLine(describeFinding(finding))}`),
      ],
      samples: held.map(({ inputs, label }) => ({ inputs, ...(labelled && label !== undefined && { label }) })),
      inlineElements: INLINE_ELEMENTS,
    }),
    path,
  );
}

/** The options under which `opt` checks the same. */
function checkOptions(spec: CheckSpec, target: string): readonly string[] {
  const check = spec.kind === 'command' ? ['--check-command', spec.text] : ['--check', printCheck(spec)];
  const ofProgram = spec.kind === 'command' || spec.expression.some(needsProgram);
  return ofProgram && target !== DEFAULT_TARGET ? [...check, '--target', target] : check;
}

function describe({ source, graph, steps, checker }: CheckedModel, reduced: Reduction, output: string): string {
  const failed = reduced.evaluated.findings.filter((finding) => !finding.holds).map((finding) => `  ${describeFinding(finding)}\n`);
  const plural = (n: number, what: string): string => `${count(n)} ${what}${n === 1 ? '' : 's'}`;
  return [
    `${output}: ${plural(reduced.graph.ops.length, 'op')} of ${count(graph.ops.length)} of ${oneLine(source.name)}, `,
    `${plural(reduced.steps.length, 'pass').replace('passs', 'passes')} of ${count(steps.length)}, ${plural(leafElements(reduced), 'element')} in inputs and constants, `,
    `after ${plural(reduced.evaluations, 'evaluation')}\n`,
    ...failed,
    `Run it with: plumbline opt ${output}${checker.spec.kind === 'command' ? ` --check-command ${shellWord(checker.spec.text)}` : ''}\n`,
  ].join('');
}

function asJson({ source, steps, checker }: CheckedModel, reduced: Reduction | undefined, output: string): unknown {
  return {
    schema: REDUCE_SCHEMA,
    model: source.name,
    target: checker.context.target.name,
    passes: printPipeline(steps),
    check: printCheck(checker.spec),
    outcome: reduced ? 'reduced' : 'nothing-wrong',
    ...(reduced && {
      output,
      ops: reduced.graph.ops.length,
      elements: leafElements(reduced),
      samples: reduced.samples.map(({ place }) => place),
      reducedPasses: printPipeline(reduced.steps),
      evaluations: reduced.evaluations,
      findings: reduced.evaluated.findings,
    }),
  };
}
