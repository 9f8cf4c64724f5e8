/** Why cycles pass: what a report charges them to, and how labels of the path name it. */

/** What a cycle of the critical path is charged to. */
export const CAUSES = {
  matrix: 'work of the matrix unit',
  vector: 'work of the vector unit',
  scalar: 'latency of scalar instructions and of scalar loads and stores',
  dramBandwidth: 'bytes through the DMA channel',
  dramLatency: 'from the last byte requested to the last byte there',
  pipelineDepth: 'results under way in the matrix or vector pipeline',
  bankConflict: 'operands that meet in a bank of the vector scratchpad',
  branch: 'fetch and front end after a branch',
  registerWait: 'dispatch of an instruction whose issue waited for a register',
  queueFull: 'front end or dispatch of an instruction that waited for a queue entry',
  issue: 'fetch, front end, issue and dispatch, in order and so many a cycle',
} as const;
export type Cause = keyof typeof CAUSES;
export const CAUSE_NAMES = Object.keys(CAUSES) as readonly Cause[];

/** Cycles by cause; they add up to the cycles of the program or the layer. */
export type CauseCycles = Record<Cause, number>;

/** A delay of the path is labelled with the index of its layer times the number of causes, plus the index of its cause. */
export const CAUSE_INDEX = Object.fromEntries(CAUSE_NAMES.map((cause, index) => [cause, index])) as Readonly<Record<Cause, number>>;
