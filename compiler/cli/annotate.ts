import type { Program } from '../../isa/program.ts';
import { sourceOf } from '../../isa/program.ts';

/** Comments for a disassembly: the graph operation of each instruction, and at the first of each tiled operation what it is made from. */
export function annotation(program: Program): (index: number) => string | undefined {
  return (index) => {
    const source = sourceOf(program, index);
    if (!source) return undefined;
    if (source.first !== index) return source.node;
    const origin = source.origin.length > 0 && source.origin.join() !== source.node ? ` from ${source.origin.join(', ')}` : '';
    return `${source.node}${origin}: ${source.tile}`;
  };
}
