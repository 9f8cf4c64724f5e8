/** Files that belong together are replaced as one: wherever the writer is ended, and wherever the disk is full, the old ones or the new ones can be read. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writePrinted } from '../../compiler/cli/graph-file.ts';
import { decodeConstants } from '../../compiler/ir/constants-file.ts';
import { contentHash } from '../../compiler/ir/content-hash.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { parseGraph, printGraph } from '../../compiler/ir/text.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { FileError, readFile, readFromDirectory, readTextFile, writeDirectory, writeFile } from '../../runtime/platform/node.ts';

/** All that changes a disk. */
const CHANGES = ['openSync', 'writeSync', 'fsyncSync', 'renameSync', 'rmSync', 'mkdirSync', 'chmodSync', 'unlinkSync'] as const;
const sound = Object.fromEntries(CHANGES.map((name) => [name, fs[name]]));

const root = fs.mkdtempSync('/tmp/plumbline-replacing-');
afterAll(() => fs.rmSync(root, { recursive: true }));

let folder = '';
beforeEach(() => (folder = fs.mkdtempSync(join(root, 'case-'))));
afterEach(() => restore());

class Ended extends Error {}

function restore(): void {
  Object.assign(fs, sound);
  syncBuiltinESMExports();
}

/** Changes after the first `steps` fail: all of them where the writer is ended, half-way through a write; those that need room where the disk is full. */
function failAfter(steps: number, how: 'ended' | 'full'): () => number {
  let done = 0;
  for (const name of CHANGES) {
    const change = sound[name] as (...args: unknown[]) => unknown;
    const failing = (...args: unknown[]): unknown => {
      if (done++ < steps) return change(...args);
      if (how === 'ended') {
        if (name === 'writeSync' && done === steps + 1) change(args[0], (args[1] as Uint8Array).subarray(0, 3));
        throw new Ended();
      }
      const needsRoom = name === 'writeSync' || name === 'mkdirSync' || (name === 'openSync' && args[1] !== 'r');
      if (needsRoom) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      return change(...args);
    };
    Object.assign(fs, { [name]: failing });
  }
  syncBuiltinESMExports();
  return () => done;
}

/** Tries `write` with a failure at each of its steps, and looks at what is left after each; gives the number of steps. */
function atEveryStep(how: 'ended' | 'full', prepare: () => void, write: () => void, look: () => void): number {
  for (let steps = 0; ; steps++) {
    folder = fs.mkdtempSync(join(root, 'case-'));
    prepare();
    const done = failAfter(steps, how);
    let failed = false;
    try {
      write();
    } catch (error) {
      if (!(error instanceof Ended) && !(error instanceof FileError && error.code === 'file/full')) throw error;
      failed = true;
    } finally {
      restore();
    }
    look();
    if (!failed && done() <= steps) return steps;
    if (steps > 500) throw new Error('the writer does not end');
  }
}

/** Two constants, which both graphs have in common, or not. */
function graphOf(...seeds: readonly number[]): Graph {
  const builder = new GraphBuilder('g');
  let value = builder.input('x', tensorType('f32', [32]));
  for (const seed of seeds) {
    const constant = builder.constant(`c${seed}`, tensor(tensorType('f32', [32]), new Float32Array(32).fill(seed)));
    value = builder.op('add', [value, constant], {}, { name: `y${seed}` });
  }
  builder.output('y', value);
  return builder.build('imported');
}

const graphPath = (): string => join(folder, 'g.pir');

function readBack(): string {
  const side = `${graphPath()}.data`;
  const constants = fs.existsSync(side) ? decodeConstants(readFile(side), side) : new Map<string, Uint8Array>();
  return printGraph(parseGraph(readTextFile(graphPath()), { file: 'g.pir', constants })).text;
}

const temporaries = (): readonly string[] =>
  fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('plumbline-'));

const PAIRS: readonly (readonly [string, Graph, Graph])[] = [
  ['with other constants', graphOf(1, 2), graphOf(3, 4)],
  ['with one constant in common', graphOf(1, 2), graphOf(2, 3)],
  ['with the same constants', graphOf(1, 2), graphOf(2, 1)],
  ['by one with fewer', graphOf(1, 2, 3), graphOf(3)],
  ['by one without', graphOf(1, 2), graphOf()],
  ['that has none', graphOf(), graphOf(1)],
];

describe('a graph and its constants, replaced', () => {
  it.each(PAIRS)('%s: the old pair or the new one when the writer is ended at any step', (_, old, next) => {
    const texts = [old, next].map((graph) => printGraph(graph).text);
    const seen = new Set<string>();
    const steps = atEveryStep(
      'ended',
      () => writePrinted(printGraph(old), graphPath()),
      () => writePrinted(printGraph(next), graphPath()),
      () => {
        const text = readBack();
        expect(texts).toContain(text);
        seen.add(text);
      },
    );
    expect(steps).toBeGreaterThan(3);
    expect(seen.size).toBe(2);
  });

  it.each(PAIRS)('%s: both as they were where the disk is full, and nothing else', (_, old, next) => {
    const texts = [old, next].map((graph) => printGraph(graph).text);
    const files = (): string =>
      ['', '.data'].map((end) => (fs.existsSync(graphPath() + end) ? contentHash(fs.readFileSync(graphPath() + end)) : '')).join();
    let before = '';
    atEveryStep(
      'full',
      () => {
        writePrinted(printGraph(old), graphPath());
        before = files();
      },
      () => writePrinted(printGraph(next), graphPath()),
      () => {
        const text = readBack();
        expect(texts).toContain(text);
        if (text === texts[0]) expect(files()).toBe(before);
        expect(temporaries()).toEqual([]);
      },
    );
  });

  it('leaves only the constants that are needed', () => {
    writePrinted(printGraph(graphOf(1, 2)), graphPath());
    writePrinted(printGraph(graphOf(2, 3)), graphPath());
    expect(decodeConstants(readFile(`${graphPath()}.data`), 'f').size).toBe(2);
    writePrinted(printGraph(graphOf()), graphPath());
    expect(fs.readdirSync(folder)).toEqual(['g.pir']);
  });

  it('would be seen half-done by this test', () => {
    const [old, next] = [printGraph(graphOf(1)), printGraph(graphOf(2))];
    const broken: string[] = [];
    atEveryStep(
      'ended',
      () => writePrinted(old, graphPath()),
      () => {
        writeFile(graphPath(), next.text);
        writePrinted(next, graphPath());
      },
      () => {
        try {
          readBack();
        } catch {
          broken.push('a constant is missing');
        }
      },
    );
    expect(broken.length).toBeGreaterThan(0);
  });
});

const ENTRIES = ['manifest.json', 'values.bin', 'legal.pir', 'ir'];
const runFiles = (version: string, passes: readonly string[]): ReadonlyMap<string, Uint8Array> =>
  new Map(['manifest.json', 'values.bin', 'legal.pir', ...passes].map((name) => [name, new TextEncoder().encode(`${name} ${version}`)]));

describe('a folder of files, replaced', () => {
  const [old, next] = [runFiles('old', ['ir/00.pir', 'ir/01.pir']), runFiles('new', ['ir/00.pir', 'ir/02.pir'])];
  const place = (): string => join(folder, 'run');
  /** Which version all files that the manifest stands for are of. */
  const version = (): string => {
    const read = (name: string): string => new TextDecoder().decode(readFromDirectory(place(), name));
    const [, which = ''] = read('manifest.json').split(' ');
    for (const name of (which === 'old' ? old : next).keys()) expect(read(name)).toBe(`${name} ${which}`);
    return which;
  };

  it('is the old one or the new one when the writer is ended at any step, and can be replaced then', () => {
    const seen = new Set<string>();
    const steps = atEveryStep(
      'ended',
      () => writeDirectory(place(), old, ENTRIES),
      () => writeDirectory(place(), next, ENTRIES),
      () => {
        seen.add(version());
        writeDirectory(place(), next, ENTRIES);
        expect(version()).toBe('new');
        expect(fs.readdirSync(place(), { recursive: true, encoding: 'utf8' }).sort()).toEqual([
          'ir',
          'ir/00.pir',
          'ir/02.pir',
          'legal.pir',
          'manifest.json',
          'values.bin',
        ]);
      },
    );
    expect([...seen].sort()).toEqual(['new', 'old']);
    expect(steps).toBeGreaterThan(15);
  });

  it('is the old one where the disk is full, and nothing else', () => {
    atEveryStep(
      'full',
      () => writeDirectory(place(), old, ENTRIES),
      () => writeDirectory(place(), next, ENTRIES),
      () => {
        version();
        expect(temporaries()).toEqual([]);
      },
    );
  });

  it('is not there, or whole, where there was none', () => {
    atEveryStep(
      'ended',
      () => undefined,
      () => writeDirectory(place(), next, ENTRIES),
      () => {
        if (fs.existsSync(place())) expect(version()).toBe('new');
      },
    );
  });
});
