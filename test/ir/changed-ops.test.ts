/** How many ops a rewrite changed. */
import { describe, expect, it } from 'vitest';
import { countChangedOps } from '../../compiler/ir/equal.ts';
import { parseGraph } from '../../compiler/ir/text.ts';

const graph = (body: string, constant = '[1, 2]'): ReturnType<typeof parseGraph> =>
  parseGraph(`graph @g stage(imported) {\n  %x: f32[2] = input\n  %c: f32[2] = constant ${constant}\n${body}\n  output "y" = %y\n}\n`, {
    file: 'g.pir',
  });

describe('changed ops', () => {
  const before = graph('  %s: f32[2] = add(%x, %c)\n  %y: f32[2] = relu(%s)');

  it('are none in the same graph, whatever the ops come from', () => {
    expect(countChangedOps(before, before)).toBe(0);
    expect(countChangedOps(before, graph('  %s: f32[2] = add(%x, %c) from ["a"]\n  %y: f32[2] = relu(%s)'))).toBe(0);
  });

  it('are those with another operation, operand or constant, and those that are new or gone', () => {
    expect(countChangedOps(before, graph('  %s: f32[2] = mul(%x, %c)\n  %y: f32[2] = relu(%s)'))).toBe(1);
    expect(countChangedOps(before, graph('  %s: f32[2] = add(%x, %c)\n  %y: f32[2] = relu(%s)', '[1, 3]'))).toBe(1);
    expect(countChangedOps(before, graph('  %y: f32[2] = add(%x, %c)'))).toBe(2);
    expect(countChangedOps(graph('  %y: f32[2] = add(%x, %c)'), before)).toBe(2);
  });
});
