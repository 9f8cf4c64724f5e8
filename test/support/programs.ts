/** Small programs for tests of the ISA. */
import type { Program } from '../../isa/program.ts';
import { assemble } from '../../isa/assembly.ts';

/** Adds 1.0 to four elements: an input, a constant and an output, everything in place for the target `cambricon`. */
export function smallProgram(changes: Partial<Program> = {}): Program {
  const { code } = assemble(`
      SMOVE $1, #0
      SMOVE $2, #4
      SMOVE $3, #64
      SLOAD $5, $1, #0
      VLOAD.f32 $1, $2, $3, #0
  L0: VAS.f32 $1, $2, $1, $5
      SADD $4, $4, #-1
      CB #L0, $4
      VSTORE.f32 $1, $2, $3, #64
  `);
  return {
    target: 'cambricon',
    code,
    constants: Uint8Array.of(0, 0, 0x80, 0x3f),
    memory: {
      constants: { start: 0, bytes: 4 },
      inputs: { start: 64, bytes: 16 },
      outputs: { start: 128, bytes: 16 },
      activations: { start: 192, bytes: 0 },
      spill: { start: 192, bytes: 0 },
    },
    inputs: [{ name: 'x', shape: [1, 2, 2], element: 'f32', address: 64, bytes: 16, layout: [0, 2, 1], stored: 'f32', via: [] }],
    outputs: [{ name: 'y', shape: [4], element: 'f32', address: 128, bytes: 16, layout: [0], stored: 'f32', via: [] }],
    debug: [
      { first: 3, count: 2, tile: 'load x', node: 'x', origin: [] },
      { first: 5, count: 3, tile: 'add y', node: 'y', origin: ['Add_0', 'Constant_1'] },
    ],
    maxInstructions: 1000,
    ...changes,
  };
}
