/** Runs as files: what is written is read, equal runs have equal bytes, and damage is named. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { zooDataset } from '../../compiler/cli/zoo.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { parseGraph, printGraph } from '../../compiler/ir/text.ts';
import { decodeConstants } from '../../compiler/ir/constants-file.ts';
import { dataBytes } from '../../compiler/ir/tensor.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { decodeContainer, encodeContainer } from '../../isa/container.ts';
import { targetHash } from '../../isa/target.ts';
import { dumping } from '../../passes/instruments/printing.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { firstSamples } from '../../runtime/data/dataset.ts';
import { parseNpy } from '../../runtime/data/npy.ts';
import { diffRuns } from '../../runtime/diff/diff.ts';
import { recordRun } from '../../runtime/diff/record.ts';
import { decodeRun, encodeRun } from '../../runtime/diff/run-files.ts';
import type { Run } from '../../runtime/diff/run.ts';
import { evaluateScores } from '../../runtime/evaluate/scores.ts';
import { loadTarget } from '../support/targets.ts';

type Files = ReadonlyMap<string, Uint8Array>;

async function record(targetName: 'cambricon' | 'cambricon-base', samples = 6, batch = 1, runs = 2): Promise<{ run: Run; files: Files }> {
  const target = loadTarget(targetName);
  const passes = parsePipeline('O1');
  const graphs = new Map<string, Graph>();
  const imported = loadGraph(findModel('lenet-300-100'), { batch });
  const compilation = compileModel(imported, {
    target,
    passes,
    pipeline: { observers: [dumping((file, graph) => graphs.set(file, graph))] },
  });
  const container = encodeContainer(compilation.program, { targetHash: targetHash(target), producer: 'test' });
  const dataset = firstSamples(await zooDataset('fashion-mnist'), samples);
  let now = Math.random();
  const about = { model: 'm', passes: 'O1', macs: 1, programBytes: container.length, compileSeconds: now };
  const scored = await evaluateScores(compilation.program, target, dataset, about, {
    now: () => (now += Math.random()),
  });
  const run = await recordRun({
    toolchain: 'test',
    model: 'm',
    compilation,
    passes,
    target,
    programHash: decodeContainer(container).hash,
    dataset,
    ...scored,
    runs,
  });
  return { run, files: encodeRun(run, container, graphs) };
}

const decode = (files: Files): Run =>
  decodeRun((name) => {
    const bytes = files.get(name);
    if (!bytes) throw new Error(`${name} is not there`);
    return bytes;
  }, 'run');

function refusal(files: Files): string {
  try {
    decode(files);
  } catch (error) {
    if (error instanceof DiagnosticError) return error.diagnostics[0]?.place?.join(': ') ?? 'nowhere';
    throw error;
  }
  return 'nothing';
}

let recorded: { run: Run; files: Files };
beforeAll(async () => {
  recorded = await record('cambricon-base');
}, 60_000);

const READ = [
  'manifest.json',
  'result.json',
  'legal.pir',
  'legal.pir.data',
  'program.cam',
  'scores.npy',
  'labels.npy',
  'values.json',
  'values.bin',
];

describe('a run as files', () => {
  it('is read as it was written', () => {
    const { run, files } = recorded;
    const read = decode(files);
    expect(read.manifest).toEqual(run.manifest);
    expect(read.result).toEqual(run.result);
    expect(read.scores).toEqual(run.scores);
    expect(read.program).toEqual(run.program);
    expect(read.trace.layouts).toEqual(new Map([...run.trace.layouts].filter(([name]) => run.trace.graph.find(name))));
    expect(printGraph(read.trace.graph)).toEqual(printGraph(run.trace.graph));
    expect(read.trace.values.length).toBe(2);
    read.trace.values.forEach((values, i) => {
      expect([...values.keys()]).toEqual([...(run.trace.values[i]?.keys() ?? [])]);
      for (const [name, value] of values) expect(dataBytes(value)).toEqual(dataBytes(run.trace.values[i]?.get(name) ?? value));
    });
  });

  it('has the same bytes whenever it is made, whatever the computer took', async () => {
    const again = await record('cambricon-base');
    expect([...again.files.keys()]).toEqual([...recorded.files.keys()]);
    for (const [name, bytes] of recorded.files) expect(Buffer.from(again.files.get(name) ?? []).equals(bytes), name).toBe(true);
  }, 60_000);

  it('holds arrays that NumPy reads, and graphs that parse', () => {
    const { files } = recorded;
    expect(parseNpy(files.get('scores.npy') ?? new Uint8Array(), 'scores.npy').shape).toEqual([6, 10]);
    const constants = decodeConstants(files.get('ir/constants.data') ?? new Uint8Array(), 'constants.data');
    const graphs = [...files.keys()].filter((name) => name.startsWith('ir/') && name.endsWith('.pir'));
    expect(graphs[0]).toBe('ir/00-input.pir');
    for (const name of graphs) parseGraph(new TextDecoder().decode(files.get(name)), { file: name, constants });
  });

  it('saves whole batches, of which the last is padded', async () => {
    const { run } = await record('cambricon', 6, 4, 5);
    expect(run.manifest).toMatchObject({ batch: 4, samples: 6, savedRuns: 2, contract: { meaning: 'reassociates' } });
  });
});

describe('damage', () => {
  it.each(READ)('of %s is refused with its name', (name) => {
    const bytes = recorded.files.get(name) ?? new Uint8Array();
    const half = new Map([...recorded.files, [name, bytes.subarray(0, bytes.length >> 1)] as const]);
    expect(refusal(half)).toBe(`run/${name}`);
    expect(refusal(new Map([...recorded.files, [name, new Uint8Array()] as const]))).toBe(`run/${name}`);
  });

  it('of any byte of any file is refused or changes nothing that is compared', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.constantFrom(...READ.slice(1)), fc.nat(), fc.integer({ min: 1, max: 255 }), (name, at, flip) => {
        const bytes = Uint8Array.from(recorded.files.get(name) ?? []);
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ flip;
        expect(refusal(new Map([...recorded.files, [name, bytes] as const]))).toBe(`run/${name}`);
      }),
      { numRuns: 100 },
    );
  });

  /** The manifest with some of it replaced, hashes included where a file is replaced. */
  const withManifest = (change: (manifest: Record<string, unknown>) => object): Files => {
    const manifest = JSON.parse(new TextDecoder().decode(recorded.files.get('manifest.json'))) as Record<string, unknown>;
    return new Map([
      ...recorded.files,
      ['manifest.json', new TextEncoder().encode(JSON.stringify({ ...manifest, ...change(manifest) }))] as const,
    ]);
  };

  it('of the manifest names what is wrong', () => {
    expect(() => decode(withManifest(() => ({ schema: 'plumbline.run-directory/9' })))).toThrow('no run that this version can read');
    expect(() => decode(withManifest(() => ({ batch: 0 })))).toThrow('run/manifest.json: batch');
    expect(() => decode(withManifest(() => ({ files: {} })))).toThrow('it does not list legal.pir');
    expect(refusal(withManifest(() => ({ savedRuns: 3 })))).toBe('run/values.json');
    expect(refusal(withManifest(() => ({ samples: 5 })))).toBe('run/labels.npy');
    expect(refusal(withManifest(() => ({ program: '0'.repeat(64) })))).toBe('run/program.cam');
  });
});

describe('two runs', () => {
  it('are compared from their files alone', async () => {
    const float = await record('cambricon');
    const [reference, program] = [decode(float.files), decode(recorded.files)];
    const report = await diffRuns(reference, program);
    expect(report).toEqual(await diffRuns(float.run, recorded.run));
    expect(report.verdicts).toEqual({ ok: 1, 'expected loss': 4, suspicious: 0, broken: 0 });
    expect(report.outputs.sqnrDecibels).toBeGreaterThan(45);
    expect(report.cost).toBeUndefined();
  }, 60_000);

  it('of one program have no difference, and the same cost', async () => {
    const report = await diffRuns(recorded.run, decode(recorded.files));
    expect(report.outputs).toMatchObject({ sqnrDecibels: Infinity, flips: [], klDivergence: 0 });
    expect(report.tensors.every(({ cumulative }) => cumulative.sqnrDecibels === Infinity)).toBe(true);
    expect(report.cost?.cycles).toEqual({ reference: recorded.run.result.timing.cycles, program: recorded.run.result.timing.cycles });
  });

  it('of other data, batches or classes are refused', async () => {
    const other = await record('cambricon-base', 5);
    await expect(diffRuns(recorded.run, other.run)).rejects.toThrow('different data');
    const { run } = recorded;
    await expect(diffRuns(run, { ...run, manifest: { ...run.manifest, batch: 2 } })).rejects.toThrow('batches of 1 and of 2');
    await expect(diffRuns(run, { ...run, scores: { ...run.scores, classes: 5 } })).rejects.toThrow('10 and 5 classes');
  });

  it('of two models promise nothing of each other', async () => {
    const float = await record('cambricon');
    const { manifest } = float.run;
    expect((await diffRuns(float.run, float.run)).contract.meaning).toBe('reassociates');
    const other = { ...float.run, manifest: { ...manifest, model: { ...manifest.model, sha256: '0'.repeat(64) } } };
    expect((await diffRuns(other, float.run)).contract.meaning).toBe('lossy');
  });
});
