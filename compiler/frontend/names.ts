/** Names: of the model's nodes and values in the graph, and of what users may have meant. */
import { closest, distance } from 'fastest-levenshtein';

/** Hands out names that have not been handed out before, changing those that have by a number at the end. */
export class UniqueNames {
  readonly #taken = new Set<string>();

  take(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.#taken.has(name); i++) name = `${wanted}_${i}`;
    this.#taken.add(name);
    return name;
  }
}

/** `did you mean 'image'?`, or the candidates themselves when none is near. */
export function suggest(name: string, candidates: readonly string[]): string {
  if (candidates.length === 0) return 'there are none';
  const nearest = closest(name, [...candidates]);
  if (distance(name, nearest) <= Math.max(1, name.length / 3)) return `did you mean '${nearest}'?`;
  const shown = candidates.slice(0, 8);
  return `there ${candidates.length === 1 ? 'is' : 'are'} ${shown.join(', ')}${candidates.length > shown.length ? ', …' : ''}`;
}
