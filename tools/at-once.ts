/** Runs scripts of package.json at the same time, and shows what each prints when it ends. Fails where one does: `tsx tools/at-once.ts typecheck lint`. */
import { spawn } from 'node:child_process';
import process from 'node:process';

async function run(script: string): Promise<boolean> {
  const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => output.push(bytes));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  process.stdout.write(Buffer.concat([Buffer.from(`${script}: ${code === 0 ? 'fine' : 'failed'}\n`), ...output]));
  return code === 0;
}

const results = await Promise.all(process.argv.slice(2).map(run));
process.exitCode = results.every(Boolean) ? 0 : 1;
