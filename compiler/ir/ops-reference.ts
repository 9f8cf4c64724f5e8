/** The reference manual of the graph's ops, generated from the op table. */
import { describeKind, printAttribute } from './attributes.ts';
import type { AttributeSpec, OnnxMapping, OpRecord, Trait } from './op.ts';
import { OP_NAMES, opRecord } from './ops.ts';
import { STAGE_RULES } from './stage-rules.ts';

const TRAITS: Readonly<Record<Trait, string>> = {
  elementwise: 'elementwise',
  commutative: 'commutative',
  view: 'a view: moves no data',
  reducing: 'sums products',
  activation: 'an activation that products can apply themselves',
  conversion: 'the same numbers in another element type',
  moving: 'only moves elements',
  selecting: 'chooses among elements',
};

/** Markdown: every op with its operands, attributes and ONNX operator. */
export function renderOpReference(): string {
  return [
    '# The ops of the graph IR',
    '',
    'Generated from the op table, `compiler/ir/ops.ts`; do not edit.',
    '',
    'f32 results are rounded after every multiplication and every addition, in the order that an op states; every NaN that an op computes is stored as ' +
      '0x7FC00000, while ops that only move elements keep their bits. Narrow floats are widened to f32, computed with, and rounded once. ' +
      'Fixed point (`fx16.F`) has a binary point and quantized integers (`i8<scale,zero>`) a scale and a zero point for each value: they are part of the type. ' +
      'Quantized weights may have a scale for each index along a dimension (`i8<axis=3:scale …>`).',
    '',
    ...OP_NAMES.flatMap((name) => renderOp(name, opRecord(name))),
    '## Stages',
    '',
    'A graph of stage `imported` may hold every op in every form. Later stages are narrower:',
    '',
    ...STAGE_RULES.map(({ code, stages, doc }) => `- \`${code}\` (${stages.join(', ')}): ${doc}.`),
    '',
  ].join('\n');
}

function renderOp(name: string, record: OpRecord): string[] {
  const operands = record.inputs
    .map((input) => (input.optional ? `[${input.name}]` : input.variadic ? `${input.name}, …` : input.name))
    .join(', ');
  const attributes = Object.entries(record.attributes);
  return [
    `## ${name}`,
    '',
    `    ${name}(${operands})`,
    '',
    record.doc,
    '',
    ...(attributes.length > 0
      ? [
          '| attribute | kind | default | meaning |',
          '| --- | --- | --- | --- |',
          ...attributes.map(([key, spec]) => renderAttribute(key, spec)),
          '',
        ]
      : []),
    `${capitalised([...record.traits.map((trait) => TRAITS[trait]), `ONNX: ${renderOnnx(record.onnx)}`].join(' · '))}.`,
    '',
  ];
}

function renderAttribute(name: string, spec: AttributeSpec): string {
  const given = spec.default === undefined ? 'required' : `\`${printAttribute(spec, spec.default)}\``;
  return `| \`${name}\` | ${describeKind(spec)} | ${given} | ${spec.doc} |`;
}

function renderOnnx(onnx: OnnxMapping | undefined): string {
  return onnx ? `${onnx.op}, from opset ${onnx.since}` : 'none';
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
