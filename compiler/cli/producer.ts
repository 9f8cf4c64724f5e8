import { targetHash } from '../../isa/target.ts';
import type { Target } from '../../isa/target.ts';
import type { ContainerInfo } from '../../isa/container.ts';
import { packageVersion } from '../../runtime/platform/node.ts';

/** What programs that this version writes say of themselves. */
export function containerInfo(target: Target): ContainerInfo {
  return { targetHash: targetHash(target), producer: `plumbline ${packageVersion()}` };
}
