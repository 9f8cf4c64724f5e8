/**
 * The rules of `docs/timing.md` written down a second time, as plainly as possible: all history kept, every earlier instruction
 * looked at, no plans, no pruning, no paths. Shares nothing with the timing model but the instruction table and the accesses.
 */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import type { ElementCode } from '../../isa/fields.ts';
import { ELEMENT_CODES, ELEMENT_NAMES } from '../../isa/fields.ts';
import { applies, formOf } from '../../isa/instruction.ts';
import { recordOf } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import type { Step } from '../../runtime/machine/observer.ts';
import type { Activity } from '../../runtime/machine/activity.ts';
import { OPERATIONS, noActivity } from '../../runtime/machine/activity.ts';
import type { TimedUnit } from '../../runtime/machine/timing-plan.ts';
import { UNITS } from '../../runtime/machine/timing-plan.ts';
import type { Cause, CauseCycles } from '../../runtime/machine/causes.ts';
import type { LayerTiming, TimingReport } from '../../runtime/machine/timing-report.ts';
import { CAUSE_NAMES } from '../../runtime/machine/causes.ts';
import type { StepTimes } from '../../runtime/machine/timing.ts';

interface Timed extends StepTimes {
  readonly unit: string;
  readonly accesses: readonly ResolvedAccess[];
}

const roundedUp = (a: number, b: number): number => Math.ceil(a / b);
const elements = ({ rowBytes, elementBytes }: ResolvedAccess): number => rowBytes / elementBytes;

/** Cycles of work, added by bank conflicts, and added because rows wait for each other. */
type Held = readonly [work: number, conflict: number, carried: number];

function occupancy(step: Step, target: Target): number {
  const [work, conflict, carried] = held(step, target);
  return work + conflict + carried;
}

/** Name of the element type of an instruction. */
function typeOf({ fields }: Step['instruction']): ElementCode {
  const found = ELEMENT_NAMES.find((name) => ELEMENT_CODES[name].code === (fields['type'] ?? 0));
  if (found === undefined) throw new Error(`no element type ${fields['type'] ?? 0}`);
  return found;
}

/** Cycles of so many elements on lanes, of which each takes 1 / rate elements a cycle, or one in rate cycles. */
const laned = (count: number, lanes: number, rate: number): number =>
  rate < 1 ? roundedUp(count * rate, lanes) : roundedUp(count, lanes) * rate;

function held({ instruction, accesses }: Step, { vector, matrix, dma, rates, memory }: Target): Held {
  const [first, , third] = accesses;
  if (first === undefined || first.rows === 0) return [0, 0, 0];
  const { cost, rate: rateType = typeOf(instruction) } = recordOf(instruction.mnemonic);
  const moved = ELEMENT_CODES[rateType].bytes / 2;
  const rate = rateType === 'i32' || rateType === 'i64' ? moved : (rates[rateType] ?? moved);
  if (cost === 'scalar-memory') return [1, 0, 0];
  if (cost === 'transfer') return [first.rows * first.planes * roundedUp(first.rowBytes, dma.bytesPerCycle), 0, 0];
  if (cost === 'matrix-elementwise') return [laned(elements(first), matrix.elementsPerCycle, rates.fx16), 0, 0];

  let row = laned(elements(first), vector.lanes, rate);
  if (cost === 'vector-divide') row *= vector.divideCycles;
  if (cost === 'vector-transcendental') row *= vector.transcendentalCycles;
  if (cost === 'product' && third !== undefined)
    row = roundedUp(elements(first), matrix.blocks) * laned(Math.max(1, elements(third)), matrix.lanes, rate);
  if (cost === 'columns' && third !== undefined) row *= Math.max(1, elements(third) / elements(first));

  let conflict = 0;
  for (let r = 0; r < first.rows; r++) {
    const needs = new Array<number>(memory.banks).fill(0);
    for (const { access, space, mode, start, strideBytes, rowBytes } of accesses) {
      if (access.once) continue;
      const bank = Math.floor((start + r * strideBytes) / memory.bankBytes) % memory.banks;
      if (space === 'vector') needs[bank] = (needs[bank] ?? 0) + roundedUp(rowBytes, memory.bankBytes) * (mode === 'update' ? 2 : 1);
    }
    conflict += Math.max(row, ...needs) - row;
  }
  const inPlace = accesses.some(({ mode, low, end }) => mode === 'read' && low < first.end && end > first.low);
  const accumulates = cost === 'product' || cost === 'columns';
  const carried = !accumulates && first.rows > 1 && first.strideBytes === 0 && inPlace ? (first.rows - 1) * vector.depthCycles : 0;
  return [first.rows * row + (cost === 'vector-reduce' ? Math.ceil(Math.log2(vector.lanes)) : 0), conflict, carried];
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

/** A point in time, and the cycles that lead to it by layer and cause. */
interface Moment {
  readonly time: number;
  readonly shares: ReadonlyMap<string, number>;
}

/** One term of a maximum: so many cycles after a moment, and what they are charged to. */
type Term = readonly [from: Moment, cycles: number, cause: Cause];

interface Passed {
  readonly unit: TimedUnit;
  readonly accesses: readonly ResolvedAccess[];
  readonly dispatch: Moment;
  readonly end: Moment;
  readonly result: Moment;
}

const START: Moment = { time: 0, shares: new Map() };
const keyOfShare = (layer: string, cause: Cause): string => JSON.stringify([layer, cause]);

function after({ time, shares }: Moment, layer: string, cycles: number, cause: Cause): Moment {
  const key = keyOfShare(layer, cause);
  return { time: time + cycles, shares: new Map(shares).set(key, (shares.get(key) ?? 0) + cycles) };
}

/** The first of the latest terms. */
const latestOf = (terms: readonly Term[]): Term =>
  terms.reduce((best, term) => (term[0].time + term[1] > best[0].time + best[1] ? term : best));

/** What an access waits for, writers in front of readers, in the order of the program. */
function waits(unit: string, a: ResolvedAccess, queued: readonly Passed[]): Moment[] {
  const met = queued.flatMap((earlier) => {
    const meets = earlier.accesses.filter((b) => a.rows > 0 && b.rows > 0 && a.space === b.space && a.low < b.end && b.low < a.end);
    return meets.map(({ mode }) => ({ earlier, reads: mode === 'read' }));
  });
  const writers = met.filter(({ earlier, reads }) => !reads && (a.mode === 'read' || earlier.unit !== unit));
  const readers = met.filter(({ reads }) => reads && a.mode !== 'read');
  return [...writers.map(({ earlier }) => earlier.result), ...readers.map(({ earlier }) => earlier.end)];
}

function countActivity(activity: Activity, { instruction, accesses }: Step): void {
  const record = recordOf(instruction.mnemonic);
  const [first, , third] = accesses;
  activity.instructions++;
  activity.classes[record.class]++;
  activity.mnemonics[instruction.mnemonic] = (activity.mnemonics[instruction.mnemonic] ?? 0) + 1;
  let count = record.unit === 'scalar' ? 1 : 0;
  if (first !== undefined && first.rows > 0 && record.unit !== 'dma' && record.cost !== 'scalar-memory')
    count = first.rows * elements(first);
  if (record.cost === 'product' && third !== undefined) count *= elements(third);
  if (record.cost === 'columns' && first !== undefined && third !== undefined) count = first.rows * elements(third);
  if (record.cost === 'scalar-memory') count = 0;
  const priced = record.unit === 'scalar' ? 'word' : (record.priced ?? typeOf(instruction));
  // Accumulators are moved and filled only.
  const type = priced === 'i32' || priced === 'i64' ? 'word' : priced;
  for (const operation of OPERATIONS) activity.operations[type][operation] += count * (record.operations[operation] ?? 0);
  if (['MMV', 'VMM', 'VCMM', 'VMAC', 'VDP'].includes(instruction.mnemonic)) activity.macs += count;
  record.accesses.forEach(({ space, mode, element, readWhen, once }, i) => {
    const { rowBytes, planes } = accesses[i] as ResolvedAccess;
    const traffic = activity.bytes[element === 'word' ? 'cache' : space];
    const bytes = rowBytes * planes * (once ? 1 : (first?.rows ?? 0));
    if (mode === 'read' || (mode === 'update' && (readWhen === undefined || instruction.fields['acc'] === 1))) traffic.read += bytes;
    if (mode !== 'read') traffic.write += bytes;
  });
}

/** The report of the steps: the rules once more, each time with the whole path that leads to it. */
export function plainReport(steps: readonly Step[], target: Target, keyOf: (pc: number) => string): TimingReport {
  const { width, issueQueue, memoryQueue, frontendCycles, branchCycles } = target.issue;
  const keys = [...new Set(steps.map(({ pc }) => keyOf(pc)))];
  const counted = new Map(
    keys.map((key) => [
      key,
      { busy: Object.fromEntries(UNITS.map((unit) => [unit, 0])) as Record<TimedUnit, number>, activity: noActivity() },
    ]),
  );
  const fetches: Moment[] = [];
  const issues: Moment[] = [];
  const queued: Passed[] = [];
  const ready = new Map<number, Moment>();
  let [fetchCause, issueCause]: Cause[] = ['issue', 'issue'];
  let latest = START;
  let scalarCycle = -1;
  for (const [i, step] of steps.entries()) {
    const { instruction, accesses, pc } = step;
    const layer = keyOf(pc);
    const sums = counted.get(layer);
    if (sums === undefined) throw new Error(`no layer '${layer}'`);
    const record = recordOf(instruction.mnemonic);
    const form = formOf(instruction.mnemonic, instruction.form);
    const unit = record.cost === 'scalar-memory' ? 'cache' : record.unit;
    const previous = steps[i - 1];
    /** A term if there is such a moment. */
    const maybe = (from: Moment | undefined, cycles: number, cause: Cause): Term[] => (from === undefined ? [] : [[from, cycles, cause]]);
    const take = (terms: readonly Term[]): readonly [Moment, Cause] => {
      const [from, cycles, cause] = latestOf(terms);
      return [after(from, layer, cycles, cause), cause];
    };
    const branched = previous !== undefined && recordOf(previous.instruction.mnemonic).class === 'control';
    const [fetch, fetchedFor] = take([
      [fetches[i - 1] ?? START, 0, fetchCause as Cause],
      ...maybe(fetches[i - width], 1, 'issue'),
      ...maybe(branched ? issues[i - 1] : undefined, branchCycles, 'branch'),
      ...maybe(issues[i - issueQueue], 0, 'queueFull'),
    ]);
    fetchCause = fetchedFor;
    fetches.push(fetch);
    const registers = Object.entries(form.fields).flatMap(([name, field]) =>
      field.kind === 'register' && applies(field, form, instruction.fields)
        ? [{ role: field.role, register: instruction.fields[name] ?? 0 }]
        : [],
    );
    const [issue, issuedFor] = take([
      [issues[i - 1] ?? START, 0, issueCause as Cause],
      ...maybe(issues[i - width], 1, 'issue'),
      [fetch, frontendCycles, fetchCause],
      ...registers.flatMap(({ role, register }) => (role === 'result' ? [] : maybe(ready.get(register), 0, 'registerWait'))),
      ...maybe(unit === 'scalar' ? undefined : queued[queued.length - memoryQueue]?.dispatch, 0, 'queueFull'),
    ]);
    issueCause = issuedFor;
    issues.push(issue);
    let result: Moment;
    if (unit === 'scalar') {
      if (issue.time !== scalarCycle) sums.busy.scalar++;
      scalarCycle = issue.time;
      result = after(issue, layer, scalarLatency(step, target), 'scalar');
    } else {
      const [dispatch] = take([
        [issue, 1, issueCause],
        ...maybe(queued.at(-1)?.dispatch, 1, 'issue'),
        ...maybe(queued.findLast((earlier) => earlier.unit === unit)?.end, 0, 'issue'),
        ...accesses.flatMap((access) => waits(unit, access, queued).map((from): Term => [from, 0, 'issue'])),
      ]);
      const [work, conflict, carried] = held(step, target);
      const worked: Cause = unit === 'cache' ? 'scalar' : unit === 'dma' ? 'dramBandwidth' : unit;
      const cycles = unit === 'cache' ? 1 : work;
      const end = after(after(after(dispatch, layer, cycles, worked), layer, conflict, 'bankConflict'), layer, carried, 'pipelineDepth');
      const deep: Cause = unit === 'cache' ? 'scalar' : unit === 'dma' ? 'dramLatency' : 'pipelineDepth';
      result = end.time === dispatch.time ? end : after(end, layer, depth(unit, target), deep);
      sums.busy[unit] += end.time - dispatch.time;
      queued.push({ unit, accesses, dispatch, end, result });
    }
    for (const { role, register } of registers) if (role === 'result') ready.set(register, result);
    if (result.time > latest.time) latest = result;
    countActivity(sums.activity, step);
  }
  const layers = [...counted].map(([key, { busy, activity }]): LayerTiming => {
    const causes = Object.fromEntries(CAUSE_NAMES.map((cause) => [cause, latest.shares.get(keyOfShare(key, cause)) ?? 0])) as CauseCycles;
    return { key, cycles: Object.values(causes).reduce((a, b) => a + b, 0), causes, busyCycles: busy, activity };
  });
  const activity = noActivity();
  for (const step of steps) countActivity(activity, step);
  const over = (f: (layer: LayerTiming) => number): number => layers.reduce((sum, layer) => sum + f(layer), 0);
  return {
    key: target.name,
    cycles: latest.time,
    seconds: latest.time / target.clockHertz,
    causes: Object.fromEntries(CAUSE_NAMES.map((cause) => [cause, over(({ causes }) => causes[cause])])) as CauseCycles,
    busyCycles: Object.fromEntries(UNITS.map((unit) => [unit, over(({ busyCycles }) => busyCycles[unit])])) as Record<TimedUnit, number>,
    activity,
    layers,
  } as TimingReport;
}
