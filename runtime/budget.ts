/**
 * The memory budget: what a file can demand beyond what is in it. Known values that are computed, constants that are broadcast or folded, archives and
 * compressed data, decoded images, the DRAM of a program beside its constants, and pipes, whose length nothing says, are all held against this one number
 * before memory is taken. It is a property of the process, as is its memory; who calls the library sets it with `setMemoryBudget`.
 */

export const DEFAULT_MEMORY_BUDGET_BYTES = 2 ** 29;

/** The option of the command line, and the variable of the environment. */
export const BUDGET_OPTION = '--memory-budget';
export const BUDGET_VARIABLE = 'PLUMBLINE_MEMORY_BUDGET';

let budgetBytes = DEFAULT_MEMORY_BUDGET_BYTES;

/** The budget in bytes. */
export function memoryBudget(): number {
  return budgetBytes;
}

/** Sets the budget, a positive number of bytes, of this process. */
export function setMemoryBudget(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new RangeError(`a memory budget is a positive number of bytes, not ${bytes}`);
  budgetBytes = bytes;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 };

/** Bytes from a text such as `1GiB`, `768MiB` or `1000000`; undefined where it is none. */
export function parseBytes(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,15})\s*([A-Za-z]{0,3})$/.exec(text.trim()) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  const bytes = digits === undefined || factor === undefined ? NaN : Number(digits) * factor;
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** `512 MiB`, in the largest unit that divides it. */
export function printBytes(bytes: number): string {
  const names = ['KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 'bytes'];
  for (const name of names) if (value >= 1024 && value % 1024 === 0) [value, unit] = [value / 1024, name];
  return `${value} ${unit}`;
}

/** What is wrong with a demand of so many bytes; undefined within the budget. A clause: `takes 4 GiB, more than the memory budget of 512 MiB`. */
export function beyondBudget(bytes: number): string | undefined {
  return bytes <= budgetBytes ? undefined : `takes ${printBytes(bytes)}, more than the memory budget of ${printBytes(budgetBytes)}`;
}

/** For whoever trusts the file. */
export function budgetHint(): string {
  return `raise it with ${BUDGET_OPTION} or ${BUDGET_VARIABLE}, such as ${BUDGET_OPTION} ${printBytes(4 * budgetBytes)
    .replace(' ', '')
    .replace('bytes', '')}`;
}
