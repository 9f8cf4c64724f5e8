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
import type { CompileObserver } from './phases.ts';
import { unobserved } from './phases.ts';
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

export interface LowerOptions extends EmitOptions {
  readonly observe?: CompileObserver;
}

export function lower(legal: Graph, target: Target, { observe = unobserved, ...options }: LowerOptions = {}): Lowered {
  const selected = observe('select', () => select(legal, target));
  const tiled = observe('schedule', () => schedule(selected));
  throwAny(observe('verify', () => verifyTiled(tiled)));
  const allocation = observe('allocate', () => allocate(tiled, target));
  const memory = memoryReport(tiled, allocation, target);
  const program = observe('emit', () => emit(tiled, allocation, options));
  throwAny(
    observe('verify', () => verifyProgram(program, target)).map(({ index, message }) => ({
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
