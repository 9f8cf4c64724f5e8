/** The import law of ARCHITECTURE.md, read off the import lines. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Areas, most specific first, and the areas that each may import besides itself. */
const LAW: readonly (readonly [area: string, allowed: readonly string[]])[] = [
  ['runtime/budget.ts', []],
  ['runtime/numerics', []],
  ['isa', ['runtime/numerics']],
  ['compiler/ir', ['runtime/numerics']],
  ['compiler/frontend', ['compiler/ir', 'runtime/numerics']],
  ['passes', ['compiler/ir', 'runtime/numerics']],
  ['compiler/lower', ['compiler/ir', 'isa', 'runtime/numerics']],
  [
    'compiler/cli',
    [
      'compiler',
      'compiler/ir',
      'compiler/frontend',
      'compiler/lower',
      'passes',
      'isa',
      'runtime/numerics',
      'runtime/machine',
      'runtime/engine',
      'runtime/data',
      'runtime/evaluate',
      'runtime/diff',
      'runtime/bisect',
      'runtime/conformance',
      'runtime/report',
      'runtime/platform',
    ],
  ],
  ['compiler', ['compiler/ir', 'compiler/frontend', 'compiler/lower', 'passes', 'isa', 'runtime/numerics']],
  ['runtime/data', ['runtime/numerics']],
  ['runtime/machine', ['isa', 'runtime/numerics']],
  ['runtime/engine', ['isa', 'runtime/numerics', 'runtime/machine']],
  [
    'runtime/evaluate',
    [
      'compiler',
      'compiler/ir',
      'compiler/frontend',
      'compiler/lower',
      'passes',
      'isa',
      'runtime/numerics',
      'runtime/machine',
      'runtime/engine',
      'runtime/data',
    ],
  ],
  ['runtime/diff', ['compiler', 'compiler/ir', 'passes', 'isa', 'runtime/numerics', 'runtime/machine', 'runtime/data', 'runtime/evaluate']],
  [
    'runtime/bisect',
    [
      'compiler',
      'compiler/ir',
      'compiler/lower',
      'passes',
      'isa',
      'runtime/numerics',
      'runtime/machine',
      'runtime/engine',
      'runtime/evaluate',
    ],
  ],
  [
    'runtime/conformance',
    [
      'compiler',
      'compiler/ir',
      'compiler/frontend',
      'compiler/lower',
      'passes',
      'isa',
      'runtime/numerics',
      'runtime/machine',
      'runtime/engine',
      'runtime/evaluate',
      'runtime/diff',
    ],
  ],
  [
    'runtime/report',
    [
      'compiler',
      'compiler/ir',
      'compiler/lower',
      'passes',
      'isa',
      'runtime/numerics',
      'runtime/machine',
      'runtime/data',
      'runtime/evaluate',
      'runtime/diff',
      'runtime/bisect',
      'runtime/conformance',
    ],
  ],
  ['runtime/platform', ['compiler/ir', 'isa', 'runtime/machine', 'runtime/engine', 'runtime/data', 'runtime/evaluate']],
];
/** What every area may import. */
const COMMON = 'runtime/budget.ts';
const MAY_USE_NODE = ['compiler/cli', 'runtime/platform'];

function areaOf(file: string): string {
  const found = LAW.find(([area]) => file === area || file.startsWith(`${area}/`));
  if (!found) throw new Error(`${file} is in no area of the import law`);
  return found[0];
}

function sources(): readonly string[] {
  return ['compiler', 'passes', 'isa', 'runtime'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  );
}

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier]) => specifier ?? '');
}

describe('import law', () => {
  const files = sources();

  it('sees the sources', () => {
    expect(files.length).toBeGreaterThan(60);
    expect(files).toContain('isa/table.ts');
  });

  it('lets an area import only those below it', () => {
    const forbidden = files.flatMap((file) => {
      const area = areaOf(file);
      const allowed = [area, COMMON, ...(LAW.find(([name]) => name === area)?.[1] ?? [])];
      const imported = importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => relative(root, normalize(join(root, dirname(file), specifier))));
      return imported.filter((other) => !allowed.includes(areaOf(other))).map((other) => `${file} imports ${other}`);
    });
    expect(forbidden).toEqual([]);
  });

  it("lets only the command line and the platform import Node's modules", () => {
    const foreign = files.filter((file) => !MAY_USE_NODE.includes(areaOf(file)));
    const forbidden = foreign.flatMap((file) => {
      const nodes = importsOf(file).filter((specifier) => specifier.startsWith('node:'));
      return nodes.map((specifier) => `${file} imports ${specifier}`);
    });
    expect(foreign.length).toBeGreaterThan(60);
    expect(forbidden).toEqual([]);
  });
});

describe('files', () => {
  it('have at most 500 lines', () => {
    const lines = (file: string): number => readFileSync(join(root, file), 'utf8').split('\n').length - 1;
    expect(sources().filter((file) => lines(file) > 500)).toEqual([]);
  });
});
