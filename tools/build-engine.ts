/**
 * Compiles the kernels of the fast engine, which are AssemblyScript, to WebAssembly, and writes them as a module of TypeScript that needs neither
 * files nor Node: `runtime/engine/binary.ts`. Part of `npm run build`.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../runtime/engine/', import.meta.url));
const ENTRY = 'assembly/index.ts';
/** No runtime and no assertions. Relaxed SIMD and fast-math stay off: both would change bits. Warning 112 is about vectors between files. */
const OPTIONS = [
  '-O3',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--enable',
  'threads',
  '--importMemory',
  '--sharedMemory',
  '--maximumMemory',
  '65536',
  '--noAssert',
  '--noExportMemory',
  '--disableWarning',
  '112',
];

/** SHA-256, in hexadecimal, of everything that the binary is made of. */
export function sourcesHash(): string {
  const sources = ['layout.ts', 'opcodes.ts', 'types.ts', ...readdirSync(join(FOLDER, 'assembly')).map((name) => `assembly/${name}`)];
  const hash = createHash('sha256').update(OPTIONS.join(' '));
  for (const name of sources.sort()) hash.update(name).update(readFileSync(join(FOLDER, name)));
  return hash.digest('hex');
}

/** The compiler runs in a process of its own: its types would change the global ones of this project. */
function compile(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-engine-'));
  try {
    const binary = join(folder, 'engine.wasm');
    const compiler = fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js'));
    execFileSync(process.execPath, [compiler, ENTRY, '--baseDir', FOLDER, '--outFile', binary, ...OPTIONS], { stdio: 'inherit' });
    return readFileSync(binary);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = [
    '/** Made by tools/build-engine.ts: the compiled folder assembly/, in base64, and the SHA-256 of its sources. */',
    `export const SOURCES_SHA256 = '${sourcesHash()}';`,
    `export const BINARY =\n  '${compile().toString('base64')}';`,
    '',
  ].join('\n');
  writeFileSync(join(FOLDER, 'binary.ts'), text);
}
