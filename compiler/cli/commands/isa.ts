/** `plumbline isa`: the instructions. */
import type { Command } from 'commander';
import { renderManual } from '../../../isa/manual.ts';
import { MNEMONICS, recordOf } from '../../../isa/table.ts';
import { renderTable } from '../../../runtime/report/table.ts';
import { markdownSection } from '../markdown.ts';
import { jsonOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { failUnknown } from '../suggest.ts';

interface Flags {
  readonly json?: boolean;
  readonly list?: boolean;
}

export function addIsa(program: Command): void {
  program
    .command('isa')
    .description('print the manual of the instruction set, or the page of one instruction')
    .argument('[mnemonic]', 'an instruction, such as VAV')
    .option('--list', 'one line for each instruction')
    .addOption(jsonOption())
    .action(run);
}

function run(name: string | undefined, { json, list }: Flags): void {
  if (name === undefined) {
    if (json) printJson({ schema: 'plumbline.isa/1', instructions: MNEMONICS.map((mnemonic) => ({ mnemonic, ...recordOf(mnemonic) })) });
    else print(list ? renderList() : renderManual());
    return;
  }
  const mnemonic =
    MNEMONICS.find((known) => known === name.toUpperCase()) ?? failUnknown('cli/unknown-instruction', 'instruction', name, MNEMONICS);
  if (json) printJson({ mnemonic, ...recordOf(mnemonic) });
  else print(markdownSection(renderManual(), mnemonic) ?? '');
}

function renderList(): string {
  const rows = MNEMONICS.map((mnemonic) => {
    const { opcode, class: group, unit, extension, doc } = recordOf(mnemonic);
    return [mnemonic, `0x${opcode.toString(16).padStart(2, '0')}`, group, unit, extension, doc];
  });
  return renderTable(
    [{ title: 'instruction' }, { title: 'opcode' }, { title: 'class' }, { title: 'unit' }, { title: 'extension' }, { title: 'meaning' }],
    rows,
  );
}
