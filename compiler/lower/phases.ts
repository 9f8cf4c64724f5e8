/** The phases of a compile, for whoever measures them. Phases do not nest; one may come several times. */

export const COMPILE_PHASES = {
  import: 'model to graph',
  passes: 'the passes of the pipeline',
  legalize: 'layouts and element types of the target',
  select: 'kernels and tile sizes',
  schedule: 'double buffering',
  allocate: 'scratchpads and DRAM',
  emit: 'instructions and registers',
  encode: 'the program file',
  verify: 'graphs, tiled program and instructions',
} as const;
export type CompilePhase = keyof typeof COMPILE_PHASES;

/** Does the work of a phase and gives its result. */
export type CompileObserver = <T>(phase: CompilePhase, work: () => T) => T;

export const unobserved: CompileObserver = (_phase, work) => work();
