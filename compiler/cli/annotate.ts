/** Comments for disassemblies. */
import type { Program } from '../../isa/program.ts';
import { sourceOf } from '../../isa/program.ts';
import type { DiffReport } from '../../runtime/diff/diff.ts';
import type { TensorDiff } from '../../runtime/diff/tensors.ts';
import type { InstructionProfile, ProgramInstructions } from '../../runtime/evaluate/profile.ts';
import { bytes, count, percent, si, words } from '../../runtime/report/format.ts';
import { decibels } from '../../runtime/report/numbers.ts';

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

/** Widths of the columns of `costAnnotation`. */
const COLUMNS = [
  ['runs', 7],
  ['cycles', 8],
  ['share', 7],
  ['busy', 8],
  ['most of it', 15],
  ['bytes', 9],
  ['energy', 9],
] as const;
const ADDRESS_COLUMNS = [['at', 5]] as const;
const ERROR_COLUMNS = [
  ['local', 8],
  ['effect', 8],
] as const;

const NOT_EXECUTED = 'not executed';

/** What each instruction costs, in columns, and the error of its layer where a comparison is given; then its layer. */
export function costAnnotation(
  program: Program,
  { cycles, byAddress }: ProgramInstructions,
  { addresses, diff }: { readonly addresses: boolean; readonly diff: DiffReport | undefined },
): CostAnnotation {
  const columns = [...(addresses ? ADDRESS_COLUMNS : []), ...COLUMNS, ...(diff ? ERROR_COLUMNS : [])];
  const layer = annotation(program);
  const tensors = diff && tensorsByLayer(diff);
  return {
    head: `${columns.map(([title, width]) => title.padStart(width)).join('')}  layer`,
    annotate(index) {
      const profile = byAddress.get(index);
      const node = sourceOf(program, index)?.node;
      const cells = [
        ...(addresses ? [String(index)] : []),
        ...(profile ? costCells(profile, cycles) : [NOT_EXECUTED, ...Array<string>(COLUMNS.length - 1).fill('')]),
        ...(tensors ? errorCells(node === undefined ? undefined : tensors.get(node)) : []),
      ];
      return `${cells.map((cell, i) => cell.padStart(columns[i]?.[1] ?? 0)).join('')}  ${layer(index) ?? ''}`.trimEnd();
    },
  };
}

export interface CostAnnotation {
  /** The titles of the columns. */
  readonly head: string;
  readonly annotate: (index: number) => string | undefined;
}

function costCells({ executions, cycles, busyCycles, stalls, bytes: moved, joules }: InstructionProfile, total: number): string[] {
  const [cause] = Object.entries(stalls).sort(([, a], [, b]) => b - a);
  const traffic = Object.values(moved).reduce((sum, { read, write }) => sum + read + write, 0);
  return [
    count(executions),
    count(cycles),
    cycles === 0 ? '' : percent(cycles / total, 1),
    count(busyCycles),
    cycles === 0 || !cause ? '' : words(cause[0]),
    traffic === 0 ? '' : bytes(traffic),
    si(joules, 'J'),
  ];
}

function errorCells(tensor: TensorDiff | undefined): string[] {
  return tensor ? [decibels(tensor.local.sqnrDecibels), decibels(tensor.effectDecibels)] : ['', ''];
}

/** The tensor of each layer: its own, or the one that it is a part of. */
function tensorsByLayer({ tensors, inside }: DiffReport): ReadonlyMap<string, TensorDiff> {
  const own = new Map(tensors.map((tensor) => [tensor.value, tensor]));
  const parts = inside.flatMap(({ side, value, inside: holder = '' }) => {
    const tensor = own.get(holder);
    return side === 'program' && tensor ? [[value, tensor] as const] : [];
  });
  return new Map([...parts, ...own]);
}
