/**
 * The graph's text form: printer here, parser in `parse.ts`. Exact and canonical: `parseGraph(printGraph(g))` equals g, and printing what was parsed
 * gives a canonical text back byte by byte.
 *
 *     graph      = "graph" @name "stage" "(" stage ")" "{" { definition } { output } "}"
 *     definition = %value ":" type "=" ( "input" | "constant" elements | op )
 *     type       = element "[" [ integer { "," integer } ] "]"
 *     elements   = "[" [ number { "," number } ] "]" | "dense#" sha256
 *     op         = name "(" [ operand { "," operand } ] ")" [ attributes ] [ "from" "[" [ string { "," string } ] "]" ]
 *     operand    = %value | "_"
 *     attributes = "{" name "=" attribute { "," name "=" attribute } "}"
 *     attribute  = number | name | "[" [ integer { "," integer } ] "]"
 *     output     = "output" string "=" %value
 *
 * Names are `[A-Za-z_][A-Za-z0-9_.\-/]*`, those of values also strings (`%"x:0"`), strings as in JSON; blanks and line ends only separate; `//` in front of a token starts a comment.
 */
import { printAttributes } from './attributes.ts';
import { MAX_INLINE_ELEMENTS, printElements } from './constant-text.ts';
import { tensorHash } from './content-hash.ts';
import type { Graph, Node, OpNode } from './graph.ts';
import { printName } from './names.ts';
import type { Tensor } from './tensor.ts';
import { dataBytes } from './tensor.ts';
import { printType } from './types.ts';

export interface PrintedGraph {
  readonly text: string;
  /** Bytes, little-endian, of the constants that the text names by the hash of their bytes. */
  readonly constants: ReadonlyMap<string, Uint8Array>;
}

/** Constants of up to `inlineElements` elements stand in the text. */
export function printGraph(graph: Graph, inlineElements = MAX_INLINE_ELEMENTS): PrintedGraph {
  const constants = new Map<string, Uint8Array>();
  const lines = [
    `graph @${graph.name} stage(${graph.stage}) {`,
    ...graph.nodes.map(
      (node) => `  %${printName(node.name)}: ${printType(node.type)} = ${printDefinition(node, constants, inlineElements)}`,
    ),
    ...graph.outputs.map(({ name, value }) => `  output ${JSON.stringify(name)} = %${printName(value)}`),
    '}',
    '',
  ];
  return { text: lines.join('\n'), constants };
}

function printDefinition(node: Node, constants: Map<string, Uint8Array>, inlineElements: number): string {
  switch (node.kind) {
    case 'input':
      return 'input';
    case 'constant':
      return `constant ${printConstant(node.value, constants, inlineElements)}`;
    case 'op':
      return printOp(node);
  }
}

function printOp({ op, inputs, attributes, origin }: OpNode): string {
  const operands = inputs.map((name) => (name === '' ? '_' : `%${printName(name)}`)).join(', ');
  const from = origin.length > 0 ? `from [${origin.map((name) => JSON.stringify(name)).join(', ')}]` : '';
  return [`${op}(${operands})`, printAttributes(op, attributes), from].filter((part) => part !== '').join(' ');
}

function printConstant(value: Tensor, constants: Map<string, Uint8Array>, inlineElements: number): string {
  if (value.data.length <= inlineElements) return `[${printElements(value).join(', ')}]`;
  const hash = tensorHash(value);
  constants.set(hash, dataBytes(value));
  return `dense#${hash}`;
}

export { parseGraph } from './parse.ts';
export type { ParseOptions } from './parse.ts';
