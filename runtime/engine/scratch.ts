/** Memory in which the fast engine widens operands of narrow types. */
import type { MemoryLayout } from '../machine/memory.ts';
import * as layout from './layout.ts';

/** Bytes of the scratch that `layout.ts` lays out. */
export function scratchBytes({ size: { vector, matrix } }: MemoryLayout): number {
  return layout.SCRATCH_INPUTS + layout.WIDENED * (2 * vector + matrix) + 3 * layout.SCRATCH_GAP;
}
