import { expect, test } from 'vitest';
import { renderOpReference } from '../../compiler/ir/ops-reference.ts';
import { OP_NAMES } from '../../compiler/ir/ops.ts';
import { expectGolden } from '../support/golden.ts';

test('docs/ops.md is current', () => {
  expectGolden('docs/ops.md', renderOpReference());
});

test('the reference has a section for every op', () => {
  const headings = renderOpReference().match(/^## .*$/gm);
  expect(headings).toEqual([...OP_NAMES.map((name) => `## ${name}`), '## Stages']);
});
