/**
 * The rules of `docs/timing.md` written down a second time, as plainly as possible: all history kept, every earlier instruction
 * looked at, no plans, no pruning, no paths. Shares nothing with the timing model but the instruction table and the accesses.
 */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import { applies, formOf } from '../../isa/instruction.ts';
import { recordOf } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import type { Step } from '../../runtime/machine/observer.ts';
import type { StepTimes } from '../../runtime/machine/timing.ts';

interface Timed extends StepTimes {
  readonly unit: string;
  readonly accesses: readonly ResolvedAccess[];
}

const roundedUp = (a: number, b: number): number => Math.ceil(a / b);
const elements = ({ rowBytes, elementBytes }: ResolvedAccess): number => rowBytes / elementBytes;

function occupancy({ instruction, accesses }: Step, { vector, matrix, dma, rates, memory }: Target): number {
  const [first, , third] = accesses;
  if (first === undefined || first.rows === 0) return 0;
  const rate = instruction.fields['type'] === 1 ? rates.f32 : rates.fx16;
  const { cost } = recordOf(instruction.mnemonic);
  if (cost === 'scalar-memory') return 1;
  if (cost === 'transfer') return first.rows * first.planes * roundedUp(first.rowBytes, dma.bytesPerCycle);
  if (cost === 'matrix-elementwise') return roundedUp(elements(first), matrix.elementsPerCycle) * rates.fx16;

  let row = roundedUp(elements(first), vector.lanes) * rate;
  if (cost === 'vector-divide') row *= vector.divideCycles;
  if (cost === 'vector-transcendental') row *= vector.transcendentalCycles;
  if (cost === 'product' && third !== undefined)
    row = roundedUp(elements(first), matrix.blocks) * Math.max(1, roundedUp(elements(third), matrix.lanes)) * rate;

  let total = 0;
  for (let r = 0; r < first.rows; r++) {
    const needs = new Array<number>(memory.banks).fill(0);
    for (const { space, mode, start, strideBytes, rowBytes } of accesses) {
      const bank = Math.floor((start + r * strideBytes) / memory.bankBytes) % memory.banks;
      if (space === 'vector') needs[bank] = (needs[bank] ?? 0) + roundedUp(rowBytes, memory.bankBytes) * (mode === 'update' ? 2 : 1);
    }
    total += Math.max(row, ...needs);
  }
  const inPlace = accesses.some(({ mode, low, end }) => mode === 'read' && low < first.end && end > first.low);
  if (cost !== 'product' && first.rows > 1 && first.strideBytes === 0 && inPlace) total += (first.rows - 1) * vector.depthCycles;
  return cost === 'vector-reduce' ? total + Math.ceil(Math.log2(vector.lanes)) : total;
}

function depth(unit: string, { vector, matrix, dma, scalar }: Target): number {
  return { vector: vector.depthCycles, matrix: matrix.depthCycles, dma: dma.latencyCycles, cache: scalar.memoryCycles - 1 }[unit] ?? 0;
}

function scalarLatency({ instruction }: Step, { scalar }: Target): number {
  const { cost } = recordOf(instruction.mnemonic);
  if (cost === 'scalar-multiply') return scalar.multiplyCycles;
  if (cost === 'scalar-divide') return scalar.divideCycles;
  return cost === 'scalar-transcendental' ? scalar.transcendentalCycles : scalar.latencyCycles;
}

/** Times that an instruction must wait for because of the memory that an earlier one touches. */
function hazards(mine: Timed | { unit: string; accesses: readonly ResolvedAccess[] }, earlier: Timed): number[] {
  return mine.accesses.flatMap((a) =>
    earlier.accesses
      .filter((b) => a.rows > 0 && b.rows > 0 && a.space === b.space && a.low < b.end && b.low < a.end)
      .map((b) => {
        if (a.mode === 'read') return b.mode === 'read' ? 0 : earlier.result;
        if (b.mode === 'read') return earlier.end;
        return mine.unit === earlier.unit ? 0 : earlier.result;
      }),
  );
}

/** Stage times of each step. */
export function plainTimes(steps: readonly Step[], target: Target): StepTimes[] {
  const { width, issueQueue, memoryQueue, frontendCycles, branchCycles } = target.issue;
  const done: Timed[] = [];
  const queued: Timed[] = [];
  const ready = new Map<number, number>();
  for (const [i, step] of steps.entries()) {
    const { instruction, accesses, pc } = step;
    const record = recordOf(instruction.mnemonic);
    const form = formOf(instruction.mnemonic, instruction.form);
    const unit = record.cost === 'scalar-memory' ? 'cache' : record.unit;
    const previous = steps[i - 1];
    const branched = previous !== undefined && recordOf(previous.instruction.mnemonic).class === 'control';

    const fetch = Math.max(
      0,
      done[i - 1]?.fetch ?? 0,
      (done[i - width]?.fetch ?? -1) + 1,
      done[i - issueQueue]?.issue ?? 0,
      branched ? (done[i - 1]?.issue ?? 0) + branchCycles : 0,
    );
    let issue = Math.max(fetch + frontendCycles, done[i - 1]?.issue ?? 0, (done[i - width]?.issue ?? -1) + 1);
    for (const [name, field] of Object.entries(form.fields))
      if (field.kind === 'register' && field.role !== 'result' && applies(field, form, instruction.fields))
        issue = Math.max(issue, ready.get(instruction.fields[name] ?? 0) ?? 0);
    let dispatch = issue;
    let end = issue + scalarLatency(step, target);
    let result = end;
    if (unit !== 'scalar') {
      issue = Math.max(issue, queued[queued.length - memoryQueue]?.dispatch ?? 0);
      dispatch = Math.max(issue + 1, (queued.at(-1)?.dispatch ?? -1) + 1);
      for (const earlier of queued) {
        if (earlier.unit === unit) dispatch = Math.max(dispatch, earlier.end);
        dispatch = Math.max(dispatch, ...hazards({ unit, accesses }, earlier));
      }
      end = dispatch + occupancy(step, target);
      result = end === dispatch ? end : end + depth(unit, target);
    }
    const timed = { pc, fetch, issue, dispatch, end, result, unit, accesses };
    done.push(timed);
    if (unit !== 'scalar') queued.push(timed);
    for (const [name, field] of Object.entries(form.fields))
      if (field.kind === 'register' && field.role === 'result') ready.set(instruction.fields[name] ?? 0, result);
  }
  return done.map(({ pc, fetch, issue, dispatch, end, result }) => ({ pc, fetch, issue, dispatch, end, result }));
}
