/** The import law of ARCHITECTURE.md, read off the import lines. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Areas, most specific first, and the areas that each may import besides itself. */
const LAW: readonly (readonly [area: string, allowed: readonly string[]])[] = [
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
  ['runtime/data', []],
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

  it.each(files)('%s', (file) => {
    const area = areaOf(file);
    const allowed = [area, ...(LAW.find(([name]) => name === area)?.[1] ?? [])];
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('node:')) expect(MAY_USE_NODE, `${file} imports ${specifier}`).toContain(area);
      if (!specifier.startsWith('.')) continue;
      const imported = relative(root, normalize(join(root, dirname(file), specifier)));
      expect(allowed, `${file} imports ${imported}`).toContain(areaOf(imported));
    }
  });

  it.each(files)('%s has at most 500 lines', (file) => {
    expect(readFileSync(join(root, file), 'utf8').split('\n').length).toBeLessThanOrEqual(501);
  });
});
