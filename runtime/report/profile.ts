/** A profile as a table, one line a layer. */
import type { LayerProfile, Profile } from '../evaluate/profile.ts';
import { bytes, count, oneLine, percent, si, words } from './format.ts';
import { renderTable } from './table.ts';

const COLUMNS = [
  { title: 'layer' },
  { title: 'cycles', align: 'right' },
  { title: 'share', align: 'right' },
  { title: 'matrix', align: 'right' },
  { title: 'vector', align: 'right' },
  { title: 'dma', align: 'right' },
  { title: 'of roof', align: 'right' },
  { title: 'DRAM', align: 'right' },
  { title: 'energy', align: 'right' },
  { title: 'what its cycles go to' },
] as const;

/** Causes that a line names; what is left is little. */
const CAUSES_SHOWN = 3;
const LEAST_SHARE = 0.05;

export function renderProfile(profile: Profile): string {
  const { layers } = profile;
  const dram = layers.reduce((sum, { bytes: { dram: each } }) => sum + each.read + each.write, 0);
  const total = ['total', count(profile.cycles), percent(1, 1), '', '', '', '', bytes(dram), si(profile.joules, 'J'), ''];
  return [
    `${oneLine(profile.model)} on ${oneLine(profile.target)}: ${count(profile.cycles)} cycles`,
    `passes: ${profile.passes === '' ? 'none' : oneLine(profile.passes)}`,
    '',
    renderTable(COLUMNS, [...layers.map(row), total]),
    'Units: cycles in which a layer holds them, by its cycles. Roof: what the busiest unit would need without a stall. Modelled, see docs/timing.md.',
    '',
  ].join('\n');
}

function row({ layer, origin, cycles, share, busy, ofRoof, bytes: moved, joules, stalls }: LayerProfile): string[] {
  return [
    layerName(layer, origin),
    count(cycles),
    percent(share, 1),
    percent(busy.matrix, 0),
    percent(busy.vector, 0),
    percent(busy.dma, 0),
    percent(ofRoof, 0),
    bytes(moved.dram.read + moved.dram.write),
    si(joules, 'J'),
    causesOf(stalls, cycles),
  ];
}

/** The first node of the model that a layer computes, and how many more there are. */
export function layerName(layer: string, [first, ...others]: readonly string[]): string {
  if (first === undefined) return layer;
  return others.length === 0 ? first : `${first} +${others.length}`;
}

/** The causes of a good share of some cycles, the greatest first: `matrix 87 %, dram bandwidth 6 %`. */
export function causesOf(stalls: LayerProfile['stalls'], cycles: number): string {
  return Object.entries(stalls)
    .filter(([, each]) => each >= LEAST_SHARE * cycles && each > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, CAUSES_SHOWN)
    .map(([cause, each]) => `${words(cause)} ${percent(each / cycles, 0)}`)
    .join(', ');
}
