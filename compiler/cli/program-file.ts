/** `.cam` files as subcommands use them. */
import type { Container } from '../../isa/container.ts';
import { decodeContainer } from '../../isa/container.ts';
import type { Target } from '../../isa/target.ts';
import { targetHash } from '../../isa/target.ts';
import { readFile } from '../../runtime/platform/node.ts';
import { fail } from '../ir/diagnostic.ts';
import { inFile } from './errors.ts';
import { loadTarget, targetNames } from './target.ts';

export function readProgram(path: string): Container {
  return inFile(path, () => decodeContainer(readFile(path)));
}

/** The target that a program was compiled for: the one given, or the one that ships under the name in the program. */
export function targetOf({ program, targetHash: compiledFor }: Container, path: string, given?: string): Target {
  if (given === undefined && !targetNames().includes(program.target))
    return fail('usage', 'cli/unknown-target', `the program is for target '${program.target}', which does not ship`, {
      place: [path],
      hint: 'give its file with --target FILE.json',
    });
  const target = loadTarget(given ?? program.target);
  if (targetHash(target) !== compiledFor)
    return fail('invalid', 'cli/target-changed', `the program was compiled for another description of target '${program.target}'`, {
      place: [path],
      hint: 'compile it again, or give the description with --target FILE.json',
    });
  return target;
}
