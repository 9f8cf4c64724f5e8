/** The target files of the repository. */
import { readFileSync } from 'node:fs';
import type { Target } from '../../isa/target.ts';
import { parseTarget } from '../../isa/target.ts';

export const TARGET_NAMES = ['cambricon', 'cambricon-base'] as const;

/** The JSON text of a target file. */
export function readTargetFile(name: (typeof TARGET_NAMES)[number]): string {
  return readFileSync(new URL(`../../isa/targets/${name}.json`, import.meta.url), 'utf8');
}

export function loadTarget(name: (typeof TARGET_NAMES)[number]): Target {
  return parseTarget(JSON.parse(readTargetFile(name)), `${name}.json`);
}
