/**
 * Programs from the `.casm` files of this folder. The header of a file holds its memory map, a line an array, which is the only place
 * where addresses of arrays are declared:
 *
 *     ;   constant W1   0x01000   150 x 64
 *
 * `input` and `output` are the program's ports, `constant` is loaded with it, `scratch` is the program's own. Elements are 16-bit fixed
 * point, or 32-bit where the line ends in `words`.
 */
import { assemble } from '../../isa/assembly.ts';
import type { Port, Program, Segment } from '../../isa/program.ts';
import { portElementCount, SEGMENT_ALIGNMENT } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import { fixed16 } from '../../runtime/numerics/element.ts';
import { toFixed16 } from '../../runtime/numerics/fixed.ts';
import { assetPath, readTextFile } from '../../runtime/platform/node.ts';

/** Numbers by the name of an array, in row-major order: values of fixed-point elements, raw integers of words. */
export type Arrays = Readonly<Record<string, readonly number[]>>;

export interface NetworkProgram {
  readonly program: Program;
  /** Index of the label `body`: what stands before it only sets registers. */
  readonly body: number;
}

/** No program here executes a tenth of it. */
const MAX_INSTRUCTIONS = 1_000_000;

const ARRAY = /^; {3}(input|output|constant|scratch) +(\w+) +0x([0-9a-f]+) +(\d+(?: x \d+)*)( words)?$/;
type Kind = 'input' | 'output' | 'constant' | 'scratch';

interface MappedArray {
  readonly kind: Kind;
  readonly name: string;
  readonly address: number;
  readonly shape: readonly number[];
  readonly elementBytes: 2 | 4;
}

/** Assembles a network. Throws an AssemblyError for its code, an Error for its memory map or for constants that do not fit it. */
export function networkProgram(name: string, constants: Arrays, target: Target): NetworkProgram {
  const file = `benchmarks/cambricon/${name}.casm`;
  const text = readTextFile(assetPath(...file.split('/')));
  const { code, labels } = assemble(text, { file, target });
  const body = labels.get('body');
  if (body === undefined) throw new Error(`${file}: there is no label 'body'`);
  const map = text.split('\n').flatMap(mappedArray);
  const ports = (kind: Kind): Port[] => map.filter((array) => array.kind === kind).map((array) => port(array, target));
  const memory = {
    inputs: segment(map, 'input'),
    outputs: segment(map, 'output'),
    constants: segment(map, 'constant'),
    activations: segment(map, 'scratch'),
    spill: { start: 0, bytes: 0 },
  };
  const program: Program = {
    target: target.name,
    code,
    constants: constantBytes(file, map, memory.constants, constants, target.fractionBits),
    memory,
    inputs: ports('input'),
    outputs: ports('output'),
    debug: [],
    maxInstructions: MAX_INSTRUCTIONS,
  };
  return { program, body };
}

function mappedArray(line: string): MappedArray[] {
  const match = ARRAY.exec(line);
  if (match === null) return [];
  const [, kind, name = '', address = '', shape = '', words] = match;
  return [
    {
      kind: kind as Kind,
      name,
      address: parseInt(address, 16),
      shape: shape.split(' x ').map(Number),
      elementBytes: words === undefined ? 2 : 4,
    },
  ];
}

function port({ name, address, shape }: MappedArray, target: Target): Port {
  const element = fixed16(target.fractionBits);
  const bare = { name, shape, element, address, layout: shape.map((_, i) => i), stored: element, via: [] };
  return { ...bare, bytes: 2 * portElementCount({ ...bare, bytes: 0 }) };
}

const byteCount = ({ shape, elementBytes }: MappedArray): number => shape.reduce((product, size) => product * size, elementBytes);

/** The segment that holds all arrays of a kind. */
function segment(map: readonly MappedArray[], kind: Kind): Segment {
  const arrays = map.filter((array) => array.kind === kind);
  if (arrays.length === 0) return { start: 0, bytes: 0 };
  const first = Math.min(...arrays.map(({ address }) => address));
  const end = Math.max(...arrays.map((array) => array.address + byteCount(array)));
  const start = first - (first % SEGMENT_ALIGNMENT);
  return { start, bytes: Math.ceil((end - start) / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT };
}

function constantBytes(file: string, map: readonly MappedArray[], { start, bytes }: Segment, given: Arrays, fraction: number): Uint8Array {
  const image = new Uint8Array(bytes);
  const view = new DataView(image.buffer);
  for (const array of map.filter(({ kind }) => kind === 'constant')) {
    const { name, address, elementBytes } = array;
    const values = given[name];
    if (values?.length !== byteCount(array) / elementBytes)
      throw new Error(`${file}: the constants '${name}' are missing or of another size`);
    for (const [i, value] of values.entries())
      if (elementBytes === 2) view.setInt16(address - start + 2 * i, toFixed16(value, fraction), true);
      else view.setInt32(address - start + 4 * i, value, true);
  }
  return image;
}
