import { describe, expect, test } from 'vitest';
import { STAGES } from '../../compiler/ir/graph.ts';
import { PASSES, PRESETS, renderPassReference } from '../../passes/registry.ts';
import { expectGolden } from '../support/golden.ts';

describe('the registry', () => {
  test('passes stand under their own names, which no preset has', () => {
    for (const [key, pass] of Object.entries(PASSES)) {
      expect(pass.name).toBe(key);
      expect(Object.keys(PRESETS)).not.toContain(key);
      expect(key).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(STAGES).not.toContain(key);
    }
  });

  test('help texts are sentences', () => {
    for (const { doc } of [...Object.values(PASSES), ...Object.values(PRESETS)]) expect(doc).toMatch(/^[A-Z].*\.$/s);
  });

  test('the reference manual is up to date', () => {
    expectGolden('docs/passes.md', renderPassReference());
  });
});
