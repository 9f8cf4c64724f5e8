/**
 * A run as the files of a directory, described for readers in `docs/runs.md`. The manifest holds size and SHA-256 of each, so that a file that was damaged
 * or exchanged is named. All bytes follow from the run.
 */
import { z } from 'zod';
import { decodeConstants, encodeConstants } from '../../compiler/ir/constants-file.ts';
import { contentHash } from '../../compiler/ir/content-hash.ts';
import { DiagnosticError, fail } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { parseGraph, printGraph } from '../../compiler/ir/text.ts';
import { checkGraph } from '../../compiler/ir/verify.ts';
import { ContainerError, decodeContainer } from '../../isa/container.ts';
import { jsonPath } from '../../isa/json.ts';
import { DataError } from '../data/errors.ts';
import type { NpyType } from '../data/npy.ts';
import { encodeNpy, parseNpy } from '../data/npy.ts';
import type { Scores } from './outputs.ts';
import type { Run, RunManifest, RunResult } from './run.ts';
import { RUN_SCHEMA, runManifest } from './run.ts';
import { describeValues } from './statistics.ts';
import type { Trace } from './trace.ts';
import { sourceNumbers } from './trace.ts';
import { decodeValues, encodeValues } from './values-file.ts';

export const MANIFEST = 'manifest.json';
export const PROGRAM = 'program.cam';
const [RESULT, LEGAL, CONSTANTS] = ['result.json', 'legal.pir', 'legal.pir.data'];
const [SCORES, LABELS, INDEX, VALUES, STATISTICS] = ['scores.npy', 'labels.npy', 'values.json', 'values.bin', 'statistics.json'];
/** Graphs after each pass stand in this folder, with one file for the constants of all of them. */
export const PASS_FOLDER = 'ir';
export const PASS_CONSTANTS = 'constants.data';

/** What may stand in the directory of a run. */
export const RUN_ENTRIES: readonly string[] = [
  ...[MANIFEST, RESULT, LEGAL, CONSTANTS, PROGRAM, SCORES, LABELS, INDEX, VALUES, STATISTICS],
  PASS_FOLDER,
];

const MAX_MANIFEST_BYTES = 2 ** 20;
const MAX_FILE_BYTES = 2 ** 31;

const fileEntry = z.strictObject({ bytes: z.number().int().nonnegative().max(MAX_FILE_BYTES), sha256: z.string().regex(/^[0-9a-f]{64}$/) });
const manifestFile = runManifest.extend({ files: z.record(z.string(), fileEntry) });

/** A graph after a pass, under the name of its file. */
export type PassGraphs = ReadonlyMap<string, Graph>;

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const json = (value: unknown): Uint8Array => utf8(`${JSON.stringify(value, undefined, 2)}\n`);

/** The files of a run by their paths in its directory. `container` is the program's file. */
export function encodeRun(run: Run, container: Uint8Array, passes: PassGraphs): ReadonlyMap<string, Uint8Array> {
  const { manifest, result, scores, trace } = run;
  const legal = printGraph(trace.graph);
  const values = encodeValues(trace);
  const samples = scores.labels.length;
  const files = new Map<string, Uint8Array>([
    [RESULT, json(result)],
    [LEGAL, utf8(legal.text)],
    [CONSTANTS, encodeConstants(legal.constants)],
    [PROGRAM, container],
    [SCORES, encodeNpy({ type: 'f4', shape: [samples, scores.classes], data: scores.scores })],
    [LABELS, encodeNpy({ type: 'i4', shape: [samples], data: scores.labels })],
    [INDEX, json(values.index)],
    [VALUES, values.bytes],
    [STATISTICS, json(statisticsOf(trace))],
    ...passFiles(passes),
  ]);
  const entries = [...files].map(([name, bytes]) => [name, { bytes: bytes.length, sha256: contentHash(bytes) }] as const);
  return new Map([[MANIFEST, json({ ...manifest, files: Object.fromEntries(entries) })], ...files]);
}

function passFiles(graphs: PassGraphs): readonly (readonly [string, Uint8Array])[] {
  const constants = new Map<string, Uint8Array>();
  const texts = [...graphs].map(([name, graph]) => {
    const printed = printGraph(graph);
    for (const [hash, bytes] of printed.constants) constants.set(hash, bytes);
    return [`${PASS_FOLDER}/${name}`, utf8(printed.text)] as const;
  });
  return [...texts, [`${PASS_FOLDER}/${PASS_CONSTANTS}`, encodeConstants(constants)]];
}

function statisticsOf({ graph, layouts, values }: Trace): unknown {
  const tensors = graph.nodes.flatMap(({ kind, name }) => {
    if (kind === 'constant') return [];
    const parts = values.flatMap((run) => {
      const value = run.get(name);
      return value ? [sourceNumbers(value, layouts.get(name))] : [];
    });
    return [[name, describeValues(parts)] as const];
  });
  return { schema: 'plumbline.statistics/1', tensors: Object.fromEntries(tensors) };
}

/** Reads a file of the directory, up to a number of bytes. */
export type ReadRunFile = (name: string, limitBytes: number) => Uint8Array;

const DAMAGED = 'it was changed or damaged after it was written; save the run again';

/** The run in a directory that `place` names. Throws a diagnostic that names the file that is damaged. */
export function decodeRun(read: ReadRunFile, place: string): Run {
  const refuse = (name: string, message: string, hint: string = DAMAGED): never =>
    fail('invalid', 'run/damaged', message, { place: [`${place}/${name}`], hint });
  const { files, ...manifest } = readManifest(read, refuse);
  const file = (name: string): Uint8Array => {
    const entry = Object.hasOwn(files, name) ? files[name] : undefined;
    if (!entry) return refuse(MANIFEST, `it does not list ${name}`);
    const bytes = read(name, MAX_FILE_BYTES);
    if (bytes.length !== entry.bytes) refuse(name, `it has ${bytes.length} bytes, the manifest says ${entry.bytes}`);
    if (contentHash(bytes) !== entry.sha256) refuse(name, 'its bytes are not those that the manifest says');
    return bytes;
  };
  const graph = readGraph(file, place);
  const scores = readScores(file, place, refuse);
  const values = decodeValues(parseJson(file(INDEX), INDEX, refuse), file(VALUES), graph, manifest.savedRuns, (name, message) =>
    refuse(name === 'index' ? INDEX : VALUES, message),
  );
  if (scores.labels.length !== manifest.samples) refuse(LABELS, `it holds ${scores.labels.length} labels for ${manifest.samples} samples`);
  return {
    manifest,
    result: readResult(parseJson(file(RESULT), RESULT, refuse), refuse),
    program: readProgram(file(PROGRAM), manifest, refuse),
    scores,
    trace: { graph, contract: manifest.contract, ...values },
  };
}

type Refuse = (name: string, message: string, hint?: string) => never;

function readManifest(read: ReadRunFile, refuse: Refuse): z.infer<typeof manifestFile> {
  const parsed = parseJson(read(MANIFEST, MAX_MANIFEST_BYTES), MANIFEST, refuse);
  const schema = typeof parsed === 'object' && parsed !== null && 'schema' in parsed ? parsed.schema : undefined;
  if (schema !== RUN_SCHEMA) refuse(MANIFEST, 'this is no run that this version can read', '`plumbline eval MODEL --save DIR` writes one');
  const checked = manifestFile.safeParse(parsed);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  return refuse(MANIFEST, `${jsonPath(issue?.path ?? [])}: ${issue?.message ?? 'invalid'}`);
}

function parseJson(bytes: Uint8Array, name: string, refuse: Refuse): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return refuse(name, 'it is no JSON in UTF-8');
  }
}

function readGraph(file: (name: string) => Uint8Array, place: string): Graph {
  const [legal, constants] = [`${place}/${LEGAL}`, `${place}/${CONSTANTS}`];
  const graph = parseGraph(new TextDecoder().decode(file(LEGAL)), { file: legal, constants: decodeConstants(file(CONSTANTS), constants) });
  try {
    return checkGraph(graph);
  } catch (error) {
    throw error instanceof DiagnosticError ? error.within(legal) : error;
  }
}

function readScores(file: (name: string) => Uint8Array, place: string, refuse: Refuse): Scores {
  const array = (name: string, type: NpyType) => {
    try {
      const read = parseNpy(file(name), `${place}/${name}`);
      return read.type === type ? read : refuse(name, `it holds ${read.type} instead of ${type}`);
    } catch (error) {
      if (error instanceof DataError) return refuse(name, error.message);
      throw error;
    }
  };
  const scores = array(SCORES, 'f4');
  const labels = array(LABELS, 'i4');
  const [samples, classes, ...more] = scores.shape;
  if (classes === undefined || more.length > 0 || samples !== labels.data.length)
    return refuse(SCORES, `it has the shape ${scores.shape.join('x')} for ${labels.data.length} labels`);
  return { classes, scores: scores.data as Float32Array, labels: labels.data as Int32Array };
}

/** Of the result only what comparisons read is checked: versions of the program add keys. */
const figures = z.looseObject({
  schema: z.literal('plumbline.eval/1'),
  samples: z.number().int(),
  timing: z.looseObject({
    cycles: z.number(),
    bytes: z.looseObject({ dram: z.looseObject({ read: z.number(), write: z.number() }) }),
  }),
  energy: z.looseObject({ joulesPerSample: z.number() }),
  size: z.looseObject({ programBytes: z.number() }),
});

function readResult(parsed: unknown, refuse: Refuse): RunResult {
  const checked = figures.safeParse(parsed);
  if (checked.success) return parsed as RunResult;
  const [issue] = checked.error.issues;
  return refuse(RESULT, `${jsonPath(issue?.path ?? [])}: ${issue?.message ?? 'invalid'}`);
}

function readProgram(bytes: Uint8Array, { program: hash }: RunManifest, refuse: Refuse): Run['program'] {
  try {
    const container = decodeContainer(bytes);
    return container.hash === hash ? container.program : refuse(PROGRAM, 'it is another program than the manifest says');
  } catch (error) {
    if (error instanceof ContainerError) return refuse(PROGRAM, error.message);
    throw error;
  }
}
