/** The list of what is expected of each case: one line each, `name status`, and why a status is lower than it was. */

export interface Entry {
  /** A form of `runtime/conformance/conformance.ts`, with `: reason` behind it where that is not a compiled one. */
  readonly status: string;
  /** Why it is lower than it once was, as whoever lowered it wrote. */
  readonly lowered?: string;
}

export type StatusList = ReadonlyMap<string, Entry>;

const HEADER = `# What is expected of each case of the ONNX backend suite, and of the networks of the zoo; rewritten by BLESS=1 npx vitest run test/conformance.
# compiled: executed by a compiled program, bit for bit as evaluated, with the outputs that the suite expects. compiled-constants: only with operands that the
# suite feeds put into the model. folded: then nothing was left to compile.
# With a reason behind it: that is how far it came, evaluated, evaluated-constants or folded, and why it is not compiled. unsupported: it does not run at all.
# To lower a status takes a reason, BLESS_REASON='…', which stays behind it.
`;

const MARK = ' # lowered from ';

/** Statuses, the highest first. */
const RANKS = ['compiled', 'compiled-constants', 'folded', 'evaluated:', 'evaluated-constants:', 'folded:', 'unsupported:'] as const;

export function parseStatusList(text: string): StatusList {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line): [string, Entry] => {
      const [name, rest] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
      const at = rest.lastIndexOf(MARK);
      return [name, at < 0 ? { status: rest } : { status: rest.slice(0, at), lowered: rest.slice(at + MARK.length) }];
    }),
  );
}

export function printStatusList(list: StatusList): string {
  const sorted = [...list].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = sorted.map(([name, { status, lowered }]) => `${name} ${status}${lowered === undefined ? '' : MARK + lowered}\n`);
  return HEADER + lines.join('');
}

/** Position among the statuses, 0 the highest; undefined for what is wrong or crashed, which no list may expect. */
export function rankOf(status: string): number | undefined {
  const rank = RANKS.findIndex((prefix) => (prefix.endsWith(':') ? status.startsWith(prefix) : status === prefix));
  return rank < 0 ? undefined : rank;
}

/** The list with what was found. Throws where a status would be lowered and no reason is given. */
export function blessed(list: StatusList, found: ReadonlyMap<string, string>, reason: string | undefined): StatusList {
  const result = new Map(list);
  const refused: string[] = [];
  for (const [name, status] of found) {
    const old = list.get(name);
    const [before = RANKS.length, after = RANKS.length] = [rankOf(old?.status ?? ''), rankOf(status)];
    if (!old || after < before) result.set(name, { status });
    else if (after === before) result.set(name, { ...old, status });
    else if (!reason?.trim()) refused.push(`${name}: ${old.status} → ${status}`);
    else result.set(name, { status, lowered: `${old.status.replace(/:.*/, '')}: ${reason.trim()}` });
  }
  if (refused.length > 0)
    throw new Error(`statuses are only lowered with a reason, BLESS_REASON='why they may be':\n${refused.sort().join('\n')}`);
  return result;
}
