import { describe, expect, it } from 'vitest';
import { renderManual } from '../../isa/manual.ts';
import { MNEMONICS } from '../../isa/table.ts';
import { expectGolden } from '../support/golden.ts';

describe('the ISA manual', () => {
  it('is the one checked in', () => {
    expectGolden('docs/isa.md', renderManual());
  });

  it('has a section for every instruction, and links to each', () => {
    const text = renderManual();
    for (const mnemonic of MNEMONICS) {
      expect(text).toContain(`\n#### ${mnemonic}\n`);
      expect(text).toContain(`[${mnemonic}](#${mnemonic.toLowerCase()})`);
    }
  });
});
