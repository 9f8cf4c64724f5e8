/** The ISA manual, generated from the instruction table: prose, then every instruction with its bits. `docs/isa.md` is this text. */
import type { Access, Field, Form, InstructionClass, InstructionRecord } from './fields.ts';
import { ELEMENT_CODES, EXTENSIONS, RESERVED_ELEMENT_CODES, TYPES } from './fields.ts';
import { formOf, formsOf, isOperand } from './instruction.ts';
import { bitMap } from './laws.ts';
import { CLASSES, COSTS, PROSE, ROLES } from './manual-prose.ts';
import type { FormName, Mnemonic } from './table.ts';
import { MNEMONICS, recordOf } from './table.ts';

const hex = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function elementTypes(): string {
  const defined = Object.entries(ELEMENT_CODES).map(([name, { code, bytes, accumulator, extension = 'base' }]) => ({
    code,
    cells: [String(code), `\`${name}\``, String(bytes), `\`${accumulator}\``, extension],
  }));
  const reserved = Object.entries(RESERVED_ELEMENT_CODES).map(([name, code]) => ({
    code,
    cells: [String(code), name, '', '', 'reserved'],
  }));
  const rows = [...defined, ...reserved].sort((a, b) => a.code - b.code);
  return [
    '## Element types',
    'All other codes are reserved too. A reserved code makes a word illegal.',
    table(
      ['code', 'type', 'bytes', 'products sum in', 'extension'],
      rows.map(({ cells }) => cells),
    ),
  ].join('\n\n');
}

function extensions(): string {
  const rows = Object.entries(EXTENSIONS).map(([name, doc]) => [`\`${name}\``, doc]);
  return [
    '## Extensions',
    'A target lists the extensions that it has; `cambricon-base` has none. A program that uses another is refused.',
    table(['extension', 'what it adds'], rows),
  ].join('\n\n');
}

function costs(): string {
  const rows = Object.entries(COSTS).map(([name, doc]) => [`\`${name}\``, doc]);
  return [
    '## Cost classes',
    'Cycles that an instruction keeps its unit busy, for elements of the 16-bit datapath; other types take `rates` times as long.',
    table(['class', 'cycles'], rows),
  ].join('\n\n');
}

function index(): string {
  const rows = [...MNEMONICS]
    .sort((a, b) => recordOf(a).opcode - recordOf(b).opcode)
    .map((mnemonic) => {
      const record = recordOf(mnemonic);
      return [
        hex(record.opcode),
        `[${mnemonic}](#${mnemonic.toLowerCase()})`,
        formsOf(mnemonic).join(', '),
        record.unit,
        record.extension,
        record.layout,
      ];
    });
  const base = MNEMONICS.filter((mnemonic) => recordOf(mnemonic).extension === 'base').length;
  return [
    '## Opcodes',
    `${base} instructions of the base and ${MNEMONICS.length - base} of extensions. The opcode byte of an immediate form is the opcode plus 0x80.`,
    table(['opcode', 'instruction', 'forms', 'unit', 'extension', 'layout'], rows),
  ].join('\n\n');
}

/** Runs of bits of one owner, from bit 63 down. */
function bitRuns(form: Form): { readonly owner: string | undefined; readonly msb: number; readonly lsb: number }[] {
  const runs: { owner: string | undefined; msb: number; lsb: number }[] = [];
  const bits = bitMap(form);
  for (let bit = bits.length - 1; bit >= 0; bit--) {
    const last = runs.at(-1);
    if (last?.owner === bits[bit] && last !== undefined) last.lsb = bit;
    else runs.push({ owner: bits[bit], msb: bit, lsb: bit });
  }
  return runs;
}

function bitTable(record: InstructionRecord, formName: FormName): string {
  const form = record.forms[formName];
  if (form === undefined) return '';
  const runs = bitRuns(form);
  const opcode = hex(record.opcode | (formName === 'immediate' ? 0x80 : 0));
  return table(
    runs.map(({ msb, lsb }) => (msb === lsb ? String(msb) : `${msb}–${lsb}`)),
    [runs.map(({ owner }) => (owner === undefined ? '0' : owner === 'opcode' ? opcode : `\`${owner}\``))],
  );
}

function syntax(mnemonic: Mnemonic, form: Form): string {
  const suffixes = Object.entries(form.fields).filter(([, field]) => !isOperand(field));
  const single = suffixes.filter(([, field]) => field.kind === 'type').length === 1;
  const { types = TYPES.any } = recordOf(mnemonic);
  const head = suffixes.map(([name, field]) => {
    if (field.kind === 'type') return single && types.includes('fx16') ? '[.type]' : '.type';
    return field.kind === 'enum' ? `[.${field.values.slice(1).join('|.')}]` : `[.${name}]`;
  });
  const conditional = (name: string): boolean => {
    const field = form.fields[name];
    return field?.kind === 'register' && field.when !== undefined;
  };
  const sigil = (name: string): string => (form.fields[name]?.kind === 'immediate' ? '#' : '$') + name;
  const always = form.assembly.filter((name) => !conditional(name)).map(sigil);
  const sometimes = form.assembly.filter(conditional).map(sigil);
  return `${mnemonic}${head.join('')} ${always.join(', ')}${sometimes.length === 0 ? '' : `[, ${sometimes.join(', ')}]`}`;
}

function fieldDoc(field: Field): string {
  switch (field.kind) {
    case 'register':
      return ROLES[field.role] + (field.when === undefined ? '' : `; with \`${field.when}\` only`);
    case 'immediate':
      return field.role === 'offset' ? ROLES.offset : field.role === 'address' ? 'added to the base address' : 'scalar';
    case 'type':
      return 'element type';
    case 'flag':
      return EXTENSIONS[field.extension];
    case 'enum':
      return field.values.map((value, code) => `${code} \`${value}\``).join(', ');
  }
}

function operands(mnemonic: Mnemonic): string {
  const names = new Map<string, string>();
  for (const formName of formsOf(mnemonic)) {
    for (const [name, field] of Object.entries(formOf(mnemonic, formName).fields)) if (!names.has(name)) names.set(name, fieldDoc(field));
  }
  return [...names].map(([name, doc]) => `- \`${name}\`: ${doc}`).join('\n');
}

function elementText({ element, once }: Access): string {
  const read = once ? ', once for all rows' : '';
  switch (element) {
    case 'type':
    case 'type_out':
      return `\`${element}\`${read}`;
    case 'accumulator':
      return `what products of \`type\` sum in${read}`;
    case 'to':
      return `\`type\`, or f32 as \`to\` says${read}`;
    case 'word':
      return '32-bit word';
    case 'i64':
      return `8 bytes${read}`;
    default:
      return `${element}${read}`;
  }
}

function accessRow(access: Access): string[] {
  const address = `\`${access.base}\`${access.offset === undefined ? '' : ` + \`${access.offset}\``}`;
  const elements = access.width.length === 0 ? '1' : access.width.map((name) => `\`${name}\``).join(' · ');
  const element = elementText(access);
  const repeated = (count: string | undefined, stride: string | undefined): string =>
    count === undefined ? '' : `\`${count}\` ${stride === undefined ? 'without gaps' : `at \`${stride}\``}`;
  const [rows, planes] = [repeated(access.rows, access.stride), repeated(access.planes, access.planeStride)];
  const mode = access.readWhen === undefined ? access.mode : `write, update with \`${access.readWhen}\``;
  return [access.space, mode, address, elements, element, rows, planes];
}

/** The columns of the accesses that any row of them fills. */
function accessTable(accesses: readonly Access[]): string {
  const head = ['memory', 'access', 'address', 'elements of a row', 'element', 'rows', 'planes'];
  const rows = accesses.map(accessRow);
  const used = head.map((_, column) => rows.some((row) => row[column] !== ''));
  return table(
    head.filter((_, column) => used[column]),
    rows.map((row) => row.filter((_, column) => used[column])),
  );
}

function instructionText(mnemonic: Mnemonic): string {
  const record = recordOf(mnemonic);
  const work = Object.entries(record.operations).map(([operation, count]) => `${count} ${operation}`);
  const per = record.macs ? 'multiply-accumulate' : record.unit === 'scalar' ? 'instruction' : 'element';
  const facts = [`${record.unit} unit`, `cost \`${record.cost}\``, ...(work.length === 0 ? [] : [`${work.join(', ')} for each ${per}`])];
  const origin = record.layout === 'published' ? 'layout as published' : 'layout ours';
  const extension = record.extension === 'base' ? 'base' : `extension \`${record.extension}\``;
  const types = record.types && [`types ${record.types.map((name) => `\`${name}\``).join(', ')}`];
  return [
    `#### ${mnemonic}`,
    record.doc,
    ['```text', ...formsOf(mnemonic).map((formName) => syntax(mnemonic, formOf(mnemonic, formName))), '', record.meaning, '```'].join('\n'),
    ...formsOf(mnemonic).map((formName) => bitTable(record, formName)),
    operands(mnemonic),
    ...(record.accesses.length === 0 ? [] : [accessTable(record.accesses)]),
    `${[extension, origin, ...(types ?? []), ...facts].join(' · ')}.`,
  ].join('\n\n');
}

function instructions(): string {
  const classes = Object.keys(CLASSES) as InstructionClass[];
  const groups = classes.map((name) => {
    const members = MNEMONICS.filter((mnemonic) => recordOf(mnemonic).class === name);
    return [`### ${CLASSES[name]}`, ...members.map(instructionText)].join('\n\n');
  });
  const guide =
    'In the meaning, `R[x]` is the register that field x names, or the immediate in the immediate form, and a lone operand such as `a[i]` is an element of the memory at its address. In the bits, 0 is reserved. Without `rep` there is one row.';
  return ['## Instructions', guide, ...groups].join('\n\n');
}

/** The whole manual as Markdown. */
export function renderManual(): string {
  return `${[PROSE, elementTypes(), extensions(), costs(), index(), instructions()].join('\n\n')}\n`;
}
