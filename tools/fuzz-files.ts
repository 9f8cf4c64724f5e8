/**
 * Tries damaged files of every format that the command line reads: `npm run fuzz:files -- --runs 50000 --seed 1`. Each case is a folder with files and one
 * command line, which runs in a process that tries many; it must end with a documented exit code, within the bounds of time and memory that hold for every
 * small file, and write nothing that it was not told to write. What is beyond the bounds is tried again in a process of its own, because the memory of a
 * process holds what earlier cases left. `--case N --into FOLDER` writes the files of one. The tally goes to standard output and, with --publish, to benchmarks/results.
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { markdownTable, publish } from '../benchmarks/report.ts';
import { runCommandLine } from '../compiler/cli/command-line.ts';
import type { FileCase, FileKind, Files } from '../test/support/files/corpus.ts';
import { MAKING, fileKinds, readMade } from '../test/support/files/corpus.ts';
import { Dice } from '../test/support/files/mutate.ts';

const MOST_SECONDS = 20;
const MOST_BYTES = 2 ** 30;
/** A process is replaced after so many cases, or when it has grown. */
const CASES_EACH = 500;
/** Commands that are tried on the sound files of a kind. */
const SOUND_TRIES = 12;
const DOCUMENTED = [0, 1, 2, 3];
/** What the commands of the cases may write. */
const OUTPUTS = ['x.cam', 'y.npy', 'out.pir', 'out.pir.data'];

interface Answer {
  readonly code: number;
  readonly seconds: number;
  readonly peakBytes: number;
  readonly message: string;
  /** Files that were written and should not have been. */
  readonly strays: readonly string[];
}

/** Files in a folder and below, by their paths from there. */
function filesBelow(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)));
}

function writeFiles(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** The largest memory of this process since the last call, where the system tells. */
function peakBytes(): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  writeFileSync('/proc/self/clear_refs', '5');
  return 1024 * Number(kilobytes);
}

/** What is tried: a case of a number, from which follow the kind and the damage, or the sound files of a kind. */
type Request = { readonly seed: number; readonly sound?: number };

/** Kinds behind whose readers most of the compiler stands, which are drawn more often. */
function deep(kinds: readonly FileKind[]): readonly FileKind[] {
  return kinds.filter(({ name }) => /^(onnx|pir$|program|target)/.test(name));
}

function caseOf(kinds: readonly FileKind[], request: Request): FileCase & { readonly kind: string } {
  const dice = new Dice(request.seed);
  const kind = request.sound === undefined ? dice.pick(dice.chance(2) ? deep(kinds) : kinds) : kinds[request.sound];
  if (!kind) throw new RangeError('there is no such kind');
  return { kind: kind.name, ...kind.make(dice, request.sound === undefined) };
}

/** The process that tries: gets numbers, answers with how they ended. What the commands print on standard output is dropped. */
async function child(made: string, folder: string): Promise<void> {
  const kinds = await fileKinds(readMade(made, filesBelow));
  process.chdir(folder);
  const tried = async (request: Request): Promise<Answer> => {
    const { files, words } = caseOf(kinds, request);
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
    writeFiles(folder, files);
    peakBytes();
    const start = performance.now();
    const code = await runCommandLine(words);
    const seconds = (performance.now() - start) / 1000;
    const strays = filesBelow(folder).filter((name) => !Object.hasOwn(files, name) && !OUTPUTS.includes(name));
    return { code, seconds, peakBytes: peakBytes(), message: '', strays };
  };
  process.on('message', (request: Request) => {
    tried(request).then(
      (answer) => process.send?.(answer),
      (error: unknown) => process.send?.({ code: 70, seconds: 0, peakBytes: 0, message: String(error), strays: [] } satisfies Answer),
    );
  });
  process.send?.('ready');
}

/** A process that tries cases; `end` and a new one after each that hangs. */
class Tester {
  readonly #made: string;
  #process: ChildProcess | undefined;
  #left = 0;

  constructor(made: string) {
    this.#made = made;
  }

  async try(request: Request): Promise<Answer> {
    if (this.#left === 0) await this.#start();
    this.#left -= 1;
    const tester = this.#process;
    if (!tester) throw new Error('no process was started');
    const answer = await new Promise<Answer>((resolve) => {
      const done = (result: Answer): void => {
        clearTimeout(timer);
        tester.removeAllListeners();
        resolve(result);
      };
      const timer = setTimeout(() => {
        tester.kill('SIGKILL');
        this.#left = 0;
        done({ code: -1, seconds: 3 * MOST_SECONDS, peakBytes: 0, message: 'did not end', strays: [] });
      }, 3000 * MOST_SECONDS);
      tester.once('message', (result) => done(result as Answer));
      tester.once('exit', (code, signal) => {
        this.#left = 0;
        done({ code: code ?? -1, seconds: 0, peakBytes: 0, message: `the process ended: ${String(signal ?? code)}`, strays: [] });
      });
      tester.send(request);
    });
    if (answer.peakBytes > MOST_BYTES / 2) this.end();
    return answer;
  }

  end(): void {
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
    this.#left = 0;
  }

  async #start(): Promise<void> {
    this.end();
    const folder = mkdtempSync(join(this.#made, 'cases-'));
    const tester = fork(fileURLToPath(import.meta.url), ['--child', this.#made, folder], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    await new Promise<void>((resolve, reject) => {
      tester.once('message', () => resolve());
      tester.once('exit', () => reject(new Error('the process that tries cases does not start')));
    });
    tester.removeAllListeners();
    this.#process = tester;
    this.#left = CASES_EACH;
  }
}

const isBeyond = ({ seconds, peakBytes: bytes }: Answer): boolean => seconds > MOST_SECONDS || bytes > MOST_BYTES;
const isWrong = (answer: Answer): boolean => !DOCUMENTED.includes(answer.code) || answer.strays.length > 0 || isBeyond(answer);

interface Tally {
  readonly kind: string;
  cases: number;
  /** Ended with 0, and so on. */
  readonly codes: Map<number, number>;
  seconds: number;
  bytes: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      case: { type: 'string' },
      into: { type: 'string', default: 'case' },
      publish: { type: 'boolean', default: false },
      make: { type: 'boolean', default: false },
      child: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (values.make) return make(process.argv[3] ?? '');
  if (values.child) {
    const [made = '', folder = ''] = process.argv.slice(3);
    return child(made, folder);
  }
  if (values.case !== undefined) return showCase(Number(values.case), values.into);
  const [runs, seed] = [Number(values.runs), Number(values.seed)];
  if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) throw new Error('--runs N and --seed S are whole numbers');
  const made = mkdtempSync(join(tmpdir(), 'plumbline-fuzz-'));
  try {
    process.exitCode = await run(made, { runs, seed, publishes: values.publish });
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** Writes the files of one case to a folder, and prints the command that reads them. */
async function showCase(seed: number, into: string): Promise<void> {
  const made = mkdtempSync(join(tmpdir(), 'plumbline-fuzz-'));
  try {
    await makeFiles(made);
    const { files, words } = caseOf(await fileKinds(readMade(made, filesBelow)), { seed });
    writeFiles(into, files);
    process.stdout.write(
      `cd ${into} && plumbline ${words.map((word) => (/^[\w./=-]+$/.test(word) ? word : JSON.stringify(word))).join(' ')}\n`,
    );
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

async function run(made: string, { runs, seed, publishes }: { runs: number; seed: number; publishes: boolean }): Promise<number> {
  await makeFiles(made);
  const kinds = await fileKinds(readMade(made, filesBelow));
  const tallies = new Map(
    kinds.map(({ name }): [string, Tally] => [name, { kind: name, cases: 0, codes: new Map(), seconds: 0, bytes: 0 }]),
  );
  const wrong: string[] = [];
  const tester = new Tester(made);
  // What is sound must be read, by some of its commands at least, or else damage to it shows nothing.
  for (const [sound, { name }] of kinds.entries()) {
    const codes: number[] = [];
    while (codes.length < SOUND_TRIES && !codes.includes(0)) codes.push((await tester.try({ seed: codes.length, sound })).code);
    if (!codes.includes(0)) throw new Error(`the sound files of '${name}' end with ${codes.join(', ')}`);
  }
  for (let i = 0; i < runs; i++) {
    const number = 1_000_003 * seed + i;
    let answer = await tester.try({ seed: number });
    if (isWrong(answer) && !(answer.code === 70)) {
      tester.end();
      answer = await tester.try({ seed: number });
      tester.end();
    }
    const { kind, words } = caseOf(kinds, { seed: number });
    const tally = tallies.get(kind);
    if (!tally) throw new Error(`there is no kind ${kind}`);
    tally.cases += 1;
    tally.codes.set(answer.code, (tally.codes.get(answer.code) ?? 0) + 1);
    tally.seconds = Math.max(tally.seconds, answer.seconds);
    tally.bytes = Math.max(tally.bytes, answer.peakBytes);
    if (isWrong(answer)) {
      const { code, seconds, peakBytes: bytes, message, strays } = answer;
      const line = `case ${number}: ${kind}: plumbline ${words.join(' ').slice(0, 200)}: ${code}, ${seconds.toFixed(1)} s, ${Math.round(bytes / 2 ** 20)} MiB ${message} ${strays.join(' ')}`;
      wrong.push(line);
      process.stderr.write(`${line}\n`);
    }
    if (process.stderr.isTTY && i % 100 === 0) process.stderr.write(`\r${i} of ${runs}`);
  }
  tester.end();
  const text = render([...tallies.values()], { runs, seed, wrong });
  if (publishes) publish('fuzz-files.md', text);
  else process.stdout.write(text);
  return wrong.length === 0 ? 0 : 1;
}

/** Has the command line write the sound files, in a process whose output is dropped. */
async function makeFiles(folder: string): Promise<void> {
  writeFiles(folder, MAKING.files);
  const maker = fork(fileURLToPath(import.meta.url), ['--make', folder], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const code = await new Promise<number | null>((resolve) => maker.once('exit', resolve));
  if (code !== 0) throw new Error(`the sound files cannot be made: ${String(code)}`);
}

async function make(folder: string): Promise<void> {
  process.chdir(folder);
  for (const words of MAKING.commands) {
    const code = await runCommandLine(words);
    if (code !== 0) throw new Error(`plumbline ${words.join(' ')} ended with ${code}`);
  }
}

function render(tallies: readonly Tally[], { runs, seed, wrong }: { runs: number; seed: number; wrong: readonly string[] }): string {
  const counted = (codes: ReadonlyMap<number, number>, code: number): string => String(codes.get(code) ?? 0);
  const rows = tallies.map(({ kind, cases, codes, seconds, bytes }) => [
    kind.replaceAll('|', '/'),
    String(cases),
    ...DOCUMENTED.map((code) => counted(codes, code)),
    String([...codes].reduce((sum, [code, count]) => sum + (DOCUMENTED.includes(code) ? 0 : count), 0)),
    seconds.toFixed(1),
    String(Math.round(bytes / 2 ** 20)),
  ]);
  const total = (code: number): number => tallies.reduce((sum, { codes }) => sum + (codes.get(code) ?? 0), 0);
  return [
    '# Damaged files',
    '',
    `\`npm run fuzz:files -- --runs ${runs} --seed ${seed} --publish\`: ${runs} cases; ${DOCUMENTED.map((code) => `${total(code)} ended with ${code}`).join(', ')}, ${total(70)} with 70.`,
    `${wrong.length} were wrong: ended otherwise, took more than ${MOST_SECONDS} s or 1 GiB, or wrote a file that they should not write.`,
    '',
    markdownTable(['kind', 'cases', ...DOCUMENTED.map(String), 'others', 'most s', 'most MiB'], rows),
    ...(wrong.length === 0 ? [] : ['', ...wrong.map((line) => `- ${line}`)]),
    '',
  ].join('\n');
}

await main();
