/** From a legal graph to instructions: select → schedule → allocate → emit. Each result is checked by its verifier before the next step. */
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import { verifyProgram } from '../../isa/verify.ts';
import { DiagnosticError } from '../ir/diagnostic.ts';
import type { Graph } from '../ir/graph.ts';
import type { Allocation } from './allocate.ts';
import { allocate } from './allocate.ts';
import type { EmitOptions } from './emit.ts';
import { emit } from './emit.ts';
import type { MemoryReport } from './memory-report.ts';
import { memoryReport } from './memory-report.ts';
import { schedule } from './schedule.ts';
import { select } from './select.ts';
import type { TiledProgram } from './tiled.ts';
import { verifyTiled } from './tiled-verify.ts';

export interface Lowered {
  readonly tiled: TiledProgram;
  readonly allocation: Allocation;
  readonly memory: MemoryReport;
  readonly program: Program;
}

export function lower(legal: Graph, target: Target, options: EmitOptions = {}): Lowered {
  const selected = select(legal, target);
  const tiled = schedule(selected);
  throwAny(verifyTiled(tiled));
  const allocation = allocate(tiled, target);
  const memory = memoryReport(tiled, allocation, target);
  const program = emit(tiled, allocation, options);
  throwAny(
    verifyProgram(program, target).map(({ index, message }) => ({
      kind: 'invalid' as const,
      code: 'program/invalid',
      message,
      place: [tiled.name, `instruction ${index}`],
    })),
  );
  return { tiled, allocation, memory, program };
}

function throwAny(diagnostics: ConstructorParameters<typeof DiagnosticError>[0]): void {
  if (diagnostics.length > 0) throw new DiagnosticError(diagnostics);
}
