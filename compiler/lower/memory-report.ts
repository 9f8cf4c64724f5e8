/** The result of allocation as text and as data: where every buffer is, how long it lives, how full each memory gets. */
import type { Space } from '../../isa/fields.ts';
import type { Target } from '../../isa/target.ts';
import type { Allocation, Placement } from './allocate.ts';
import { firstOverlap, largestLive, peak } from './allocate.ts';
import type { TiledProgram } from './tiled.ts';

export interface MemoryUse {
  readonly space: Space;
  /** The graph op whose section it is, or undefined for DRAM. */
  readonly node?: string;
  readonly capacityBytes: number;
  /** Highest address in use. */
  readonly peakBytes: number;
  /** Largest sum of what lives at the same time; peak beyond it is fragmentation. */
  readonly liveBytes: number;
  readonly buffers: readonly Placement[];
}

export interface MemoryReport {
  readonly uses: readonly MemoryUse[];
  /** Bytes of DRAM activations at their peak, and the largest sum of those that live at the same time. */
  readonly activations: { readonly peakBytes: number; readonly liveBytes: number };
}

export function memoryReport(program: TiledProgram, allocation: Allocation, target: Target): MemoryReport {
  const dram = [...allocation.dram.values()].sort(byAddress);
  const uses: MemoryUse[] = [
    {
      space: 'dram',
      capacityBytes: target.memory.dramBytes,
      peakBytes: peak(dram, 'dram'),
      liveBytes: largestLive(dram),
      buffers: dram,
    },
  ];
  program.sections.forEach(({ node }, index) => {
    const locals = [...(allocation.locals[index]?.values() ?? [])].flat().sort(byAddress);
    for (const space of ['vector', 'matrix'] as const) {
      const buffers = locals.filter((placement) => placement.buffer.space === space);
      if (buffers.length === 0) continue;
      const capacityBytes = space === 'vector' ? target.memory.vectorBytes : target.memory.matrixBytes;
      uses.push({ space, node, capacityBytes, peakBytes: peak(buffers, space), liveBytes: largestLive(buffers), buffers });
    }
  });
  const clash = uses.map(({ buffers }) => firstOverlap(buffers)).find((pair) => pair !== undefined);
  if (clash) throw new Error(`buffers @${clash[0].buffer.name} and @${clash[1].buffer.name} overlap while both live`);
  const activations = dram.filter(({ buffer }) => buffer.role === 'activation');
  const start = allocation.memory.activations.start;
  return {
    uses,
    activations: { peakBytes: Math.max(0, peak(activations, 'dram') - start), liveBytes: largestLive(activations) },
  };
}

function byAddress(a: Placement, b: Placement): number {
  return a.address - b.address || a.firstSection - b.firstSection;
}

/** One block for each memory of each section: peak, what lives, fragmentation, then the buffers in address order. */
export function printMemory(report: MemoryReport, program: TiledProgram): string {
  const name = (section: number): string => program.sections[section]?.node ?? '-';
  const blocks = report.uses.map(({ space, node, capacityBytes, peakBytes, liveBytes, buffers }) => {
    const fragmentation = peakBytes === 0 ? 0 : (100 * (peakBytes - liveBytes)) / peakBytes;
    const head = `${space}${node === undefined ? '' : ` of ${node}`}: peak ${peakBytes} of ${capacityBytes} bytes, live ${liveBytes}, fragmentation ${fragmentation.toFixed(1)} %`;
    const lines = buffers.map(({ buffer, slot, address, bytes, firstSection, lastSection }) => {
      const range = `0x${address.toString(16).padStart(8, '0')}..0x${(address + bytes).toString(16).padStart(8, '0')}`;
      const life = node === undefined ? `  ${buffer.role}  live ${name(firstSection)} to ${name(lastSection)}` : '';
      return `  ${range}  ${String(bytes).padStart(9)}  @${buffer.name}${buffer.slots === 2 ? `[${slot}]` : ''}${life}`;
    });
    return [head, ...lines].join('\n');
  });
  const { peakBytes, liveBytes } = report.activations;
  return `${blocks.join('\n\n')}\n\nactivations in DRAM: peak ${peakBytes} bytes, largest sum of live tensors ${liveBytes}\n`;
}
