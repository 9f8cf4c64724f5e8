/** `plumbline passes`: the passes and presets. */
import type { Command } from 'commander';
import type { ParameterSpec, Pass } from '../../../passes/pass.ts';
import { PASSES, PRESETS } from '../../../passes/registry.ts';
import { renderTable } from '../../../runtime/report/table.ts';
import { jsonOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { failUnknown } from '../suggest.ts';

interface Flags {
  readonly json?: boolean;
}

export function addPasses(program: Command): void {
  program
    .command('passes')
    .description('list the passes and presets, or describe one')
    .argument('[name]', 'a pass or a preset')
    .addOption(jsonOption())
    .action(run);
}

const ALL: Readonly<Record<string, Pass>> = PASSES;

function run(name: string | undefined, { json }: Flags): void {
  if (name === undefined) {
    if (json) printJson({ schema: 'plumbline.passes/1', passes: Object.values(ALL).map(asJson), presets: PRESETS });
    else print(renderAll());
    return;
  }
  const pass = Object.hasOwn(ALL, name) ? ALL[name] : undefined;
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name as keyof typeof PRESETS] : undefined;
  if (pass) {
    if (json) printJson(asJson(pass));
    else print(renderPass(pass));
  } else if (preset) {
    if (json) printJson({ name, ...preset });
    else print(`${name}: ${preset.doc}\n\n  ${preset.pipeline}\n`);
  } else failUnknown('pipeline/unknown-pass', 'pass', name, [...Object.keys(PASSES), ...Object.keys(PRESETS)]);
}

function asJson({ name, doc, meaning, requires, establishes, params, rules = [] }: Pass): unknown {
  return { name, doc, meaning, requires, establishes, params, rules };
}

function renderAll(): string {
  const passes = Object.values(ALL).map(({ name, meaning, params, doc }) => [name, meaning, Object.keys(params).join(' '), doc]);
  const presets = Object.entries(PRESETS).map(([name, { doc, pipeline }]) => [name, doc, pipeline]);
  return [
    renderTable([{ title: 'pass' }, { title: 'contract' }, { title: 'parameters' }, { title: 'what it does' }], passes),
    renderTable([{ title: 'preset' }, { title: '' }, { title: 'pipeline' }], presets),
    'Contracts: exact keeps every bit of every output; reassociates changes the order of roundings within a stated bound; lossy is measured.\n',
  ].join('\n');
}

function renderPass({ name, doc, meaning, requires, establishes, params, rules = [] }: Pass): string {
  const facts = [
    ['contract', meaning],
    ['requires', requires.join(', ') || 'nothing'],
    ['establishes', establishes.join(', ') || 'nothing'],
  ];
  const parameters = Object.entries(params).map(([parameter, spec]) => [parameter, kindOf(spec), String(spec.default), spec.doc]);
  return [
    `${name}: ${doc}\n`,
    renderTable([{ title: '' }, { title: '' }], facts),
    ...(parameters.length > 0
      ? [renderTable([{ title: 'parameter' }, { title: 'kind' }, { title: 'default' }, { title: '' }], parameters)]
      : []),
    ...(rules.length > 0
      ? [
          renderTable(
            [{ title: 'rule' }, { title: '' }],
            rules.map((rule) => [rule.name, rule.doc]),
          ),
        ]
      : []),
  ].join('\n');
}

function kindOf(spec: ParameterSpec): string {
  switch (spec.kind) {
    case 'int':
    case 'float': {
      const { kind, minimum, maximum } = spec;
      return minimum === undefined && maximum === undefined ? kind : `${kind} ${minimum ?? ''}..${maximum ?? ''}`;
    }
    case 'enum':
      return spec.values.join('|');
    case 'bool':
    case 'string':
      return spec.kind;
  }
}
