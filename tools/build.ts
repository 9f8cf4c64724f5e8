/** `npm run build`: the fast engine, then `dist`. Nothing is done where both are newer than their sources; types are checked by `npm run typecheck`. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { ROOT, isBuilt, markBuilt } from './build-state.ts';

function run(...script: readonly string[]): void {
  try {
    execFileSync(process.execPath, script, { cwd: ROOT, stdio: 'inherit' });
  } catch {
    // It has said what is wrong.
    process.exit(1);
  }
}

if (!isBuilt()) {
  run(join(ROOT, 'node_modules/tsx/dist/cli.mjs'), 'tools/build-engine.ts');
  run(join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json');
  markBuilt();
}
