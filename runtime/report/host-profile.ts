/** Where the time of this computer went, as tables: phases, layers, instructions, compiling. */
import { COMPILE_PHASES } from '../../compiler/lower/phases.ts';
import type { HostInstruction, HostProfile, HostTime } from '../evaluate/host-profile.ts';
import { EVALUATION_PHASES, sumOf } from '../evaluate/host-profile.ts';
import { count, percent, si } from './format.ts';
import { layerName } from './profile.ts';
import { renderTable } from './table.ts';

/** Rows that a table shows; the rest is one row. */
const ROWS_SHOWN = 20;
/** Instructions that the line of a layer names, and the least share of the layer that they have. */
const NAMED = 3;
const LEAST_SHARE = 0.05;

const RIGHT = { align: 'right' } as const;
const PER_SAMPLE = [
  { title: 'ms a sample', ...RIGHT },
  { title: 'share', ...RIGHT },
] as const;
const EXECUTED = [
  { title: 'executed', ...RIGHT },
  { title: 'ns each', ...RIGHT },
  { title: 'GMAC/s', ...RIGHT },
] as const;

interface Row extends HostTime {
  readonly name: string;
  readonly note: string;
}

export function renderHostProfile(profile: HostProfile): string {
  const { samples, seconds, clock, phases, layers, instructions, compile } = profile;
  const net = seconds - clock.seconds;
  const phaseRows = phases.map(({ phase, seconds: each }) => plainRow(EVALUATION_PHASES[phase], each));
  const layerRows = layers.map((layer) => ({ ...layer, name: layerName(layer.layer, layer.origin), note: parts(layer) }));
  const instructionRows = instructions.map((each) => ({ ...each, name: each.instruction, note: noteOf(each, profile) }));
  const compileRows = compile.map(({ phase, seconds: each }) => plainRow(`${phase}: ${COMPILE_PHASES[phase]}`, each));
  return [
    `host time on this computer: ${si(net / samples, 's')} a sample by the ${profile.engine} engine, without the ${percent(clock.seconds / seconds, 1)} more that measuring took`,
    '',
    renderTable([{ title: 'phase' }, ...PER_SAMPLE], cells(phaseRows, samples, 2)),
    renderTable(
      [{ title: 'layer of the program' }, ...PER_SAMPLE, ...EXECUTED, { title: 'what its time goes to' }],
      cells(layerRows, samples),
    ),
    renderTable([{ title: 'instruction' }, ...PER_SAMPLE, ...EXECUTED, { title: '' }], cells(instructionRows, samples)),
    renderTable([{ title: 'compiling' }, { title: 'ms', ...RIGHT }, { title: 'share', ...RIGHT }], cells(compileRows, 1, 2, 1)),
    'Wall time of this evaluation; modelled cycles of the accelerator are told by plumbline profile. Executed: instructions for a sample.',
    '',
  ].join('\n');
}

function plainRow(name: string, seconds: number): Row {
  return { name, seconds, executions: 0, macs: 0, note: '' };
}

/** The longest rows, what the others are together, and the total. */
function cells(rows: readonly Row[], samples: number, columns = Infinity, digits = 4): string[][] {
  const sorted = rows.toSorted((a, b) => b.seconds - a.seconds);
  const shown = sorted.slice(0, sorted.length > ROWS_SHOWN + 1 ? ROWS_SHOWN : undefined);
  const others = sorted.slice(shown.length);
  const total = { name: 'total', note: '', ...sumOf(sorted) };
  const all = [...shown, ...(others.length > 0 ? [{ name: `${others.length} others`, note: '', ...sumOf(others) }] : []), total];
  return all.map((row) => rowCells(row, samples, total.seconds, digits).slice(0, 1 + columns));
}

function rowCells({ name, seconds, executions, macs, note }: Row, samples: number, total: number, digits: number): string[] {
  return [
    name,
    ((1000 * seconds) / samples).toFixed(digits),
    percent(total > 0 ? seconds / total : 0, 1),
    executions > 0 ? count(executions / samples) : '',
    executions > 0 ? count((1e9 * seconds) / executions) : '',
    macs !== null && macs > 0 && seconds > 0 ? (macs / seconds / 1e9).toPrecision(3) : '',
    note,
  ];
}

function parts({ instructions, seconds }: HostProfile['layers'][number]): string {
  return instructions
    .filter((each) => instructions.length > 1 && each.seconds >= LEAST_SHARE * seconds)
    .slice(0, NAMED)
    .map((each) => `${each.instruction} ${percent(each.seconds / seconds, 0)}`)
    .join(', ');
}

function noteOf({ by }: HostInstruction, { engine }: HostProfile): string {
  return by === 'plain' && engine !== 'reference' ? 'no kernel: by the plain engine' : '';
}
