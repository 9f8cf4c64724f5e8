/** Where wall time goes: phases, layers and instructions add up, and the rest of a result does not depend on being measured. */
import { describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { zooDataset } from '../../compiler/cli/zoo.ts';
import type { CompilePhase } from '../../compiler/lower/phases.ts';
import { COMPILE_PHASES } from '../../compiler/lower/phases.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { firstSamples } from '../../runtime/data/dataset.ts';
import type { EngineName } from '../../runtime/engine/engine.ts';
import { ENGINE_NAMES } from '../../runtime/engine/engine.ts';
import type { InstructionTime } from '../../runtime/engine/instruction-times.ts';
import type { PortData } from '../../runtime/machine/host.ts';
import type { Evaluation } from '../../runtime/evaluate/evaluate.ts';
import { evaluateProgram } from '../../runtime/evaluate/evaluate.ts';
import { attribute, ENGINE, SCALARS } from '../../runtime/evaluate/host-profile.ts';
import { PhaseTimes } from '../../runtime/evaluate/phase-times.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { monotonicSeconds } from '../../runtime/platform/node.ts';
import { smallProgram } from '../support/programs.ts';
import { loadTarget } from '../support/targets.ts';

const TARGET = loadTarget('cambricon');
const SAMPLES = 20;
const NO_TIME: InstructionTime = { executions: 0, seconds: 0, plainExecutions: 0, plainSeconds: 0, scalars: 0, scalarSeconds: 0 };

const seconds = (rows: readonly { readonly seconds: number }[]): number => rows.reduce((sum, row) => sum + row.seconds, 0);

async function evaluate(engine: EngineName, profile: boolean): Promise<{ readonly evaluation: Evaluation; readonly scores: PortData[] }> {
  const { program } = compileModel(loadGraph(findModel('lenet-5'), {}), { target: TARGET, passes: parsePipeline('O1') });
  const dataset = firstSamples(await zooDataset('fashion-mnist'), SAMPLES);
  const subject = { model: 'm', passes: 'O1', macs: 2_293_000, programBytes: 1, compileSeconds: 0 };
  const scores: PortData[] = [];
  const onScores = (_sample: number, own: PortData): void => void scores.push(own.slice());
  const evaluation = await evaluateProgram(program, TARGET, dataset, subject, { now: monotonicSeconds, engine, profile, onScores });
  return { evaluation, scores };
}

describe('time spread over layers and instructions', () => {
  // SMOVE, SMOVE, SMOVE, SLOAD, VLOAD, VAS, SADD, CB, VSTORE; 3 and 4 are of layer x, 5 to 7 of layer y.
  const machine = new Machine(smallProgram(), TARGET);
  const times = new Map<number, InstructionTime>([
    [3, { ...NO_TIME, executions: 2, seconds: 4, scalars: 6, scalarSeconds: 1 }],
    [4, { ...NO_TIME, executions: 2, seconds: 8 }],
    [5, { ...NO_TIME, executions: 1, seconds: 16, plainExecutions: 1, plainSeconds: 32 }],
    [8, { ...NO_TIME, executions: 2, seconds: 64, scalars: 4, scalarSeconds: 2 }],
    [9, { ...NO_TIME, scalars: 2, scalarSeconds: 128 }],
  ]);
  const timeOf = (pc: number): InstructionTime => times.get(pc) ?? NO_TIME;
  const { layers, instructions } = attribute(machine, timeOf, 300, new Map([[5, 10]]));

  it('is that of their own instructions, and of the scalars that lead to them', () => {
    expect(layers.map(({ layer, origin, executions, seconds: own, macs }) => [layer, origin, executions, own, macs])).toEqual([
      ['x', [], 10, 13, 0],
      ['y', ['Add_0', 'Constant_1'], 2, 48, 20],
      ['(frame)', [], 8, 194, 0],
      [`(${ENGINE})`, [], 0, 45, 0],
    ]);
  });

  it('is in one row for each text and engine, longest first', () => {
    expect(instructions.map(({ instruction, by, executions, seconds: own, macs }) => [instruction, by, executions, own, macs])).toEqual([
      [SCALARS, 'kernel', 12, 131, 0],
      ['VSTORE.f32', 'kernel', 2, 64, 0],
      [ENGINE, 'host', 0, 45, 0],
      ['VAS.f32', 'plain', 1, 32, 10],
      ['VAS.f32', 'kernel', 1, 16, 10],
      ['VLOAD.f32', 'kernel', 2, 8, 0],
      ['SLOAD', 'kernel', 2, 4, 0],
    ]);
  });

  it('has no multiply-accumulates where addresses do not tell', () => {
    const unknown = attribute(machine, timeOf, 300, undefined);
    expect(unknown.layers.map(({ macs }) => macs)).toEqual([null, null, null, 0]);
  });
});

describe('the profile of an evaluation', () => {
  it.each(ENGINE_NAMES)('adds up, and changes nothing else: %s', async (engine) => {
    const [plain, profiled] = [await evaluate(engine, false), await evaluate(engine, true)];
    expect({ ...profiled.evaluation, host: undefined }).toEqual({ ...plain.evaluation, host: undefined });
    expect(profiled.scores).toEqual(plain.scores);
    expect(plain.evaluation.host).not.toHaveProperty('profile');

    const { profile } = profiled.evaluation.host;
    if (!profile) throw new Error('there is no profile');
    const { phases, layers, instructions, clock } = profile;
    expect(seconds(phases)).toBeCloseTo(profile.seconds - clock.seconds, 9);
    const run = phases.find(({ phase }) => phase === 'run');
    expect(run?.calls).toBe(SAMPLES);
    expect(seconds(layers)).toBeCloseTo(run?.seconds ?? NaN, 9);
    expect(seconds(instructions)).toBeCloseTo(run?.seconds ?? NaN, 9);
    for (const layer of layers) expect(seconds(layer.instructions)).toBeCloseTo(layer.seconds, 9);
    // 1,513 instructions and 2.29 million multiply-accumulates a sample, whatever executes them.
    expect(instructions.reduce((sum, { executions }) => sum + executions, 0)).toBe(1513 * SAMPLES);
    expect(layers.reduce((sum, { macs }) => sum + (macs ?? NaN), 0)).toBe(2_293_000 * SAMPLES);
    expect(new Set(instructions.map(({ by }) => by))).toEqual(new Set([engine === 'fast' ? 'kernel' : 'plain', 'host']));
  });
});

describe('phases', () => {
  it('of a compile are all measured, in order, the same in every compile', () => {
    let now = 0;
    const times = new PhaseTimes<CompilePhase>(() => now++);
    const graph = times.time('import', () => loadGraph(findModel('lenet-5'), {}));
    const observed = compileModel(graph, {
      target: TARGET,
      passes: parsePipeline('O1'),
      observe: (phase, work) => times.time(phase, work),
    });
    const { program } = compileModel(graph, { target: TARGET, passes: parsePipeline('O1') });
    const { constants, ...others } = observed.program;
    expect({ ...program, constants: undefined }).toEqual({ ...others, constants: undefined });
    expect(Buffer.from(constants).equals(program.constants)).toBe(true);
    const phases = times.times.map(({ phase }) => phase);
    expect(phases).toEqual(['import', 'verify', 'passes', 'legalize', 'select', 'schedule', 'allocate', 'emit']);
    expect([...phases, 'encode'].sort()).toEqual(Object.keys(COMPILE_PHASES).sort());
    expect(times.times.find(({ phase }) => phase === 'verify')).toEqual({ phase: 'verify', calls: 5, seconds: 5 });
  });

  it('count when they fail, and while they are waited for', async () => {
    let now = 0;
    const times = new PhaseTimes<'a' | 'b'>(() => now);
    const failing = (): never => {
      now += 2;
      throw new Error('no');
    };
    expect(() => times.time('a', failing)).toThrow('no');
    const waiting = times.wait(
      'b',
      new Promise((resolve) => {
        setTimeout(resolve, 0);
      }),
    );
    now += 3;
    await waiting;
    expect(times.times).toEqual([
      { phase: 'a', calls: 1, seconds: 2 },
      { phase: 'b', calls: 1, seconds: 3 },
    ]);
  });
});
