/** The passes and presets by the names that pipelines use. */
import { eliminateCommon } from './eliminate-common.ts';
import { eliminateDead } from './eliminate-dead.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import { foldConstants } from './fold-constants.ts';
import { fuseActivation } from './fuse-activation.ts';
import { legalizeLayout } from './legalize-layout.ts';
import type { Meaning, Pass } from './pass.ts';
import { describeValues } from './pass.ts';
import { PROPERTIES } from './properties.ts';
import { quantize } from './quantize.ts';
import { reducePrecision } from './reduce-precision.ts';
import { simplify } from './simplify.ts';
import { toDynamicFixed } from './to-dynamic-fixed.ts';
import { toFixedPoint } from './to-fixed-point.ts';

export const PASSES = {
  'fold-constants': foldConstants,
  'eliminate-dead': eliminateDead,
  'eliminate-common': eliminateCommon,
  simplify,
  'fold-batch-norm': foldBatchNorm,
  'fuse-activation': fuseActivation,
  'legalize-layout': legalizeLayout,
  'to-fixed-point': toFixedPoint,
  'reduce-precision': reducePrecision,
  'to-dynamic-fixed': toDynamicFixed,
  quantize,
} as const satisfies Readonly<Record<string, Pass>>;

export type PassName = keyof typeof PASSES;

/** A pipeline under a name of its own; steps of pipelines may name presets. */
export interface Preset {
  readonly doc: string;
  readonly pipeline: string;
}

export const PRESETS = {
  O0: { doc: 'Nothing: the model as it was imported.', pipeline: '' },
  O1: {
    doc: 'All rewrites that lose nothing but the order of roundings.',
    // Dead and duplicate values first, because others only fuse what has one user; simplifying can make more values equal.
    pipeline: 'eliminate-dead,fold-constants,eliminate-common,simplify,fold-batch-norm,eliminate-common,fuse-activation',
  },
  f16: { doc: 'IEEE half precision.', pipeline: 'O1,legalize-layout,reduce-precision{to=f16}' },
  bf16: { doc: 'Binary32 without its low 16 bits (bfloat16).', pipeline: 'O1,legalize-layout,reduce-precision{to=bf16}' },
  f8e4m3: { doc: 'Floats of 8 bits with 3 mantissa bits.', pipeline: 'O1,legalize-layout,reduce-precision{to=f8e4m3}' },
  f8e5m2: { doc: 'Floats of 8 bits with 2 mantissa bits.', pipeline: 'O1,legalize-layout,reduce-precision{to=f8e5m2}' },
  fixed16: { doc: 'Fixed point of 16 bits, a binary point for each value.', pipeline: 'O1,legalize-layout,to-dynamic-fixed' },
  int8: { doc: 'Integers of 8 bits, with what keeps their accuracy.', pipeline: 'O1,legalize-layout,quantize' },
  'int8-naive': {
    doc: 'Integers of 8 bits by least and greatest numbers alone, for comparison.',
    pipeline: 'O1,legalize-layout,quantize{weights=tensor ranges=minmax bias-correction=false}',
  },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof PRESETS;

const MEANINGS: Readonly<Record<Meaning, string>> = {
  exact: 'every bit of the outputs is kept, -0 and NaN included',
  reassociates:
    'each value differs by no more than the roundings of its own operation: |Δ| ≤ c·k·2⁻²⁴·Σ|terms|, where k terms are added, and a step of a narrow type to which they are rounded',
  lossy: 'values change; what is lost is measured, and held to a budget where one is given',
};

/** Markdown: presets, properties, and every pass with its contract, parameters and rules. */
export function renderPassReference(): string {
  return [
    '# The passes',
    '',
    'Generated from the registry, `passes/registry.ts`; do not edit.',
    '',
    'A pipeline is a list of passes and presets: `fold-constants{limit=0},O1,legalize-layout`.',
    '',
    '## Contracts',
    '',
    ...Object.entries(MEANINGS).map(([meaning, doc]) => `- \`${meaning}\`: ${doc}.`),
    '',
    'Terms below 2⁻¹²⁶ count as 2⁻¹²⁶, where rounding is no longer relative. The contract check evaluates the graph before and after each pass. Passes that',
    'reassociate are checked value by value, each computed from the values of the graph before the pass, so that errors neither add up nor hide.',
    '',
    '## Properties',
    '',
    ...Object.entries(PROPERTIES).map(([property, { doc }]) => `- \`${property}\`: a graph ${doc}.`),
    '',
    '## Presets',
    '',
    ...Object.entries(PRESETS).map(([name, { doc, pipeline }]) => `- \`${name}\`: ${doc}${pipeline ? ` \`${pipeline}\`` : ''}`),
    '',
    ...Object.values(PASSES).flatMap((each) => renderPass(each)),
  ].join('\n');
}

function renderPass(each: Pass): string[] {
  const names = (properties: readonly string[]): string =>
    properties.length ? properties.map((property) => `\`${property}\``).join(', ') : 'nothing';
  const contract = each.meaning === 'reassociates' ? `\`reassociates\` with c = ${each.bound}` : `\`${each.meaning}\``;
  const parameters = Object.entries(each.params);
  return [
    `## ${each.name}`,
    '',
    each.doc,
    '',
    `Contract: ${contract}. Requires: ${names(each.requires)}. Establishes: ${names(each.establishes)}.${each.mandatory ? ' Never held back by a bisection limit.' : ''}`,
    '',
    ...table(
      ['parameter', 'values', 'default', 'meaning'],
      parameters.map(([name, spec]) => [`\`${name}\``, describeValues(spec), `\`${spec.default}\``, spec.doc]),
    ),
    ...table(
      ['rule', 'rewrite'],
      (each.rules ?? []).map(({ name, doc }) => [`\`${name}\``, doc]),
    ),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .concat('');
}
