import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ResolvedAccess } from '../../isa/accesses.ts';
import { accessElementBytes } from '../../isa/accesses.ts';
import type { Access, ElementCode, Field } from '../../isa/fields.ts';
import { ELEMENT_CODES, SPACES, TYPES } from '../../isa/fields.ts';
import { decodeProgram, isIllegal } from '../../isa/codec.ts';
import { applies, formOf, formsOf } from '../../isa/instruction.ts';
import type { Program } from '../../isa/program.ts';
import type { AnyInstruction, Mnemonic } from '../../isa/table.ts';
import { MNEMONICS, recordOf } from '../../isa/table.ts';
import * as opcodes from '../../runtime/engine/opcodes.ts';
import { Intervals } from '../../runtime/machine/intervals.ts';
import type { Machine } from '../../runtime/machine/machine.ts';
import { Trap } from '../../runtime/machine/trap.ts';
import type { Case, Cells } from '../support/casm.ts';
import { parseCases } from '../support/casm.ts';
import type { EngineName } from '../support/engines.ts';
import { CountingMachine, ENGINE_NAMES, ENGINES } from '../support/engines.ts';
import { contents, fillSpaces, poke, positionIn, programOf } from '../support/machine.ts';
import { loadTarget, TARGET_NAMES } from '../support/targets.ts';

const FRACTION = 10;
/** What uninitialised memory holds, so that a stray read or write shows. */
const POISON = 0xa5a5a5a5;

const folder = new URL('./', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.casm'));
const fileOf = (mnemonic: Mnemonic): string => `${mnemonic.toLowerCase()}.casm`;

function casesOf(mnemonic: Mnemonic): Case[] {
  return parseCases(readFileSync(new URL(fileOf(mnemonic), folder), 'utf8'), FRACTION);
}

function targetOf(name: string) {
  const found = TARGET_NAMES.find((known) => known === name);
  if (found === undefined) throw new Error(`there is no target '${name}'`);
  const target = loadTarget(found);
  if (target.fractionBits !== FRACTION) throw new Error(`fx16 of '${name}' has ${target.fractionBits} fraction bits`);
  return { found, target };
}

function build(one: Case, targetName: string, engine: EngineName): Machine {
  const { found, target } = targetOf(targetName);
  const constants = new Uint8Array(64);
  constants.set(one.constants ?? []);
  const program = programOf(one.source, { target: found, constants, maxInstructions: one.budget ?? 1000 });
  return ENGINES[engine](program, target, one.seed === undefined ? {} : { seed: one.seed });
}

/** What is expected: the present contents with some cells changed. */
function expectedContents(machine: Machine, cells: readonly Cells[]): Uint8Array {
  const bytes = contents(machine);
  for (const cell of cells) {
    expect(cell.address + cell.bytes.length).toBeLessThanOrEqual(machine.memory.layout.size[cell.space]);
    bytes.set(cell.bytes, positionIn(machine, cell.space, cell.address));
  }
  return bytes;
}

function prepare(machine: Machine, one: Case): void {
  const { memory, registers } = machine;
  fillSpaces(machine, () => POISON);
  for (const { space, address, bytes } of one.init) {
    expect(address + bytes.length).toBeLessThanOrEqual(memory.layout.size[space]);
    poke(machine, space, address, bytes);
    memory.initialised[space].add(address, address + bytes.length);
  }
  for (const [register, value] of one.registers) registers[register] = value;
}

/** The first difference of two memories, told in the terms of a case. */
function firstDifference(machine: Machine, expected: Uint8Array): string | undefined {
  const present = contents(machine);
  if (Buffer.compare(present, expected) === 0) return undefined;
  const at = present.findIndex((byte, i) => byte !== expected[i]);
  const space = SPACES.findLast((name) => at >= positionIn(machine, name, 0)) ?? 'dram';
  const word = at - (at % 4);
  const hex = (bytes: Uint8Array): string =>
    Buffer.from(bytes.slice(word, word + 4))
      .reverse()
      .toString('hex');
  return `${space} 0x${(word - positionIn(machine, space, 0)).toString(16)}: 0x${hex(present)} instead of 0x${hex(expected)}`;
}

/** What is to be known about the instructions that a case executes. */
interface Executed {
  readonly instruction: AnyInstruction;
  readonly accesses: readonly ResolvedAccess[];
}

/** Whether the fast engine has a kernel for every instruction of a program. */
function executesAlone({ code }: Program): boolean {
  return decodeProgram(code).every((one) => !isIllegal(one) && Object.hasOwn(opcodes, one.mnemonic));
}

/** Runs a case. What it executes is observed on the plain engine only, because observers take runs from the fast one. */
function check(one: Case, targetName: string, engine: EngineName): readonly Executed[] {
  const machine = build(one, targetName, engine);
  prepare(machine, one);
  const expected = expectedContents(machine, one.expectedCells);
  const registers = machine.registers.slice();
  for (const [register, value] of one.expectedRegisters) registers[register] = value;
  const initialised = SPACES.map((space) => {
    const set = new Intervals();
    for (const [start, end] of machine.memory.initialised[space]) set.add(start, end);
    for (const { address, bytes } of one.expectedCells.filter((cells) => cells.space === space)) set.add(address, address + bytes.length);
    return [...set];
  });

  const executed: Executed[] = [];
  let trap: Trap | undefined;
  try {
    const observer = { step: ({ instruction, accesses }: Executed) => void executed.push({ instruction, accesses }) };
    machine.run({ observers: engine === 'reference' ? [observer] : [] });
  } catch (error) {
    if (!(error instanceof Trap)) throw error;
    trap = error;
  }
  expect(trap && { code: trap.code, pc: trap.pc }, trap?.message).toEqual(one.trap);
  expect(machine.pc).toBe(one.trap?.pc ?? one.next ?? machine.program.code.length / 2);
  if (one.executed !== undefined) expect(machine.executed).toBe(one.executed);
  expect([...machine.registers]).toEqual([...registers]);
  expect(firstDifference(machine, expected)).toBeUndefined();
  expect(SPACES.map((space) => [...machine.memory.initialised[space]])).toEqual(initialised);
  // The fast engine leaves nothing that it knows to the plain one but instructions that trap.
  if (machine instanceof CountingMachine && executesAlone(machine.program))
    expect(machine.entries).toBeLessThanOrEqual(one.trap === undefined ? 1 : 2);
  return executed;
}

/** Types that cases must show: all, but where narrow floats are computed with by the one rule for them, those that others do not stand for. */
function typesToShow(mnemonic: Mnemonic): readonly ElementCode[] {
  const { types = TYPES.any } = recordOf(mnemonic);
  return types === TYPES.arithmetic ? ['fx16', 'f32'] : types;
}

/** Bytes of an element of an access of an instruction of this type; of its own type where there is a choice. */
const bytesOf = (access: Access, type: ElementCode, to = 0): number => {
  const { code } = ELEMENT_CODES[type];
  return accessElementBytes(access, { type: code, type_out: code, to });
};

/** Whether an output can lie exactly on an input. */
function mayCoincide(out: Access, inputs: readonly Access[], types: readonly ElementCode[]): boolean {
  if (out.readWhen !== undefined) return false;
  const others = inputs.filter((input) => input !== out && input.space === out.space);
  return types.some((type) => [0, 1].some((to) => others.some((input) => bytesOf(input, type, to) === bytesOf(out, type, to))));
}

/** What the table says that the cases of a mnemonic must show. */
function duties(mnemonic: Mnemonic): string[] {
  const { accesses, extension } = recordOf(mnemonic);
  const fields = formsOf(mnemonic).flatMap((form) => Object.entries(formOf(mnemonic, form).fields));
  const types = typesToShow(mnemonic);
  const modifiers = fields.flatMap(([name, field]) => {
    if (field.kind === 'type') return types.map((type) => `${name}=${ELEMENT_CODES[type].code}`);
    if (field.kind === 'flag') return [`${name}=1`];
    return field.kind === 'enum' ? field.values.map((_, i) => `${name}=${i}`) : [];
  });
  const outputs = accesses.filter(({ mode }) => mode !== 'read');
  const inputs = accesses.filter(({ mode }) => mode !== 'write');
  const together = outputs.some((out) => inputs.some((input) => input !== out && input.space === out.space));
  const gated = extension !== 'base' || fields.some(([, field]) => field.kind === 'flag' || field.kind === 'type');
  return [
    ...formsOf(mnemonic).map((form) => `form ${form}`),
    ...modifiers,
    ...(accesses.length > 0 ? ['trap out-of-range'] : []),
    ...(accesses.some((access) => types.some((type) => bytesOf(access, type) > 1)) ? ['trap misaligned'] : []),
    ...(inputs.length > 0 ? ['trap uninitialised'] : []),
    ...(together ? ['trap overlap'] : []),
    ...(together && outputs.every((out) => mayCoincide(out, inputs, types)) ? ['in place'] : []),
    ...(outputs.some(({ space }) => space === 'dram') ? ['trap read-only'] : []),
    ...(accesses.some(({ width }) => width.length > 0)
      ? [outputs.length === 0 && mnemonic !== 'VDP' ? 'trap empty-reduction' : 'nothing']
      : []),
    ...(gated ? ['refused'] : []),
    'executed',
  ];
}

function fulfilled(mnemonic: Mnemonic, executed: readonly Executed[]): string[] {
  return executed
    .filter(({ instruction }) => instruction.mnemonic === mnemonic)
    .flatMap(({ instruction: { form: formName, fields }, accesses }) => {
      const form = formOf(mnemonic, formName);
      const isModifier = (field: Field): boolean => field.kind !== 'register' && field.kind !== 'immediate';
      const modifiers = Object.entries(form.fields).filter(([, field]) => isModifier(field) && applies(field, form, fields));
      const out = accesses.find(({ mode }) => mode !== 'read');
      const inPlace = accesses.some(
        (one) => out !== undefined && one !== out && one.rows > 0 && one.space === out.space && one.start === out.start,
      );
      return [
        'executed',
        `form ${formName}`,
        ...modifiers.map(([name]) => `${name}=${fields[name] ?? 0}`),
        ...(inPlace ? ['in place'] : []),
        ...(accesses.length > 0 && accesses.every(({ rows }) => rows === 0) ? ['nothing'] : []),
      ];
    });
}

describe('case files', () => {
  it('are there for every mnemonic, and for nothing else', () => {
    expect(files.sort()).toEqual(MNEMONICS.map(fileOf).sort());
  });
});

describe.each(MNEMONICS.filter((mnemonic) => files.includes(fileOf(mnemonic))))('%s', (mnemonic) => {
  const cases = casesOf(mnemonic);
  const shown = new Set<string>();

  const runs = cases.flatMap((one) =>
    one.targets.flatMap((target) =>
      ENGINE_NAMES.map((engine) => [`${one.name} (line ${one.line}, ${target}, ${engine})`, one, target, engine] as const),
    ),
  );

  it.each(runs)('%s', (_, one, target, engine) => {
    expect(one.source.toUpperCase()).toContain(mnemonic);
    if (one.refused !== undefined) {
      shown.add('refused');
      expect(() => build(one, target, engine)).toThrow(one.refused);
      return;
    }
    for (const duty of fulfilled(mnemonic, check(one, target, engine))) shown.add(duty);
    if (one.trap !== undefined) shown.add(`trap ${one.trap.code}`);
  });

  it('has cases for all that the table says', () => {
    expect(duties(mnemonic).filter((duty) => !shown.has(duty))).toEqual([]);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });
});
