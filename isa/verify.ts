/**
 * What can be said of a program before it runs: it decodes, the target has its extensions, immediate branches stay inside, segments
 * and ports lie where they may. Addresses in registers are checked by the machine, which traps.
 */
import { elementBytes, isFixed, isQuantized, quantizationOf } from '../runtime/numerics/element.ts';
import { decode, isIllegal } from './codec.ts';
import { ELEMENT_CODES } from './fields.ts';
import { branchOffset } from './instruction.ts';
import type { MemoryMap, Port, Program, StoredElement, Segment } from './program.ts';
import { dramEnd, instructionCount, MAX_INSTRUCTIONS, portBytes, SEGMENT_ALIGNMENT, SEGMENT_NAMES } from './program.ts';
import { extensionsOf } from './table.ts';
import type { Target } from './target.ts';
import { codeOfStored, hasExtension } from './target.ts';

/** What is wrong with a program. */
export interface ProgramDiagnostic {
  /** The instruction that is wrong, where it is one. */
  readonly index?: number;
  readonly message: string;
}

/** More are not worth reading; a program of garbage would have one per word. */
const MAX_DIAGNOSTICS = 100;
const ADDRESS_SPACE = 2 ** 32;
export const MAX_INSTRUCTION_BUDGET = 2 ** 40;

/** Everything that is wrong with a program for a target, the first hundred findings at most. Never throws. */
export function verifyProgram(program: Program, target: Target): ProgramDiagnostic[] {
  const messages = [
    ...(program.target === target.name ? [] : [`the program is for target '${program.target}', not '${target.name}'`]),
    ...budgetProblems(program),
    ...memoryProblems(program.memory, program.constants.length, target),
    ...portProblems('input', program.inputs, program.memory.inputs, target),
    ...portProblems('output', program.outputs, program.memory.outputs, target),
    ...debugProblems(program),
  ];
  const diagnostics: ProgramDiagnostic[] = messages.slice(0, MAX_DIAGNOSTICS).map((message) => ({ message }));
  const count = instructionCount(program);
  for (let index = 0; index < count && diagnostics.length < MAX_DIAGNOSTICS; index++) {
    const message = instructionProblem(program, index, target);
    if (message !== undefined) diagnostics.push({ index, message });
  }
  return diagnostics;
}

function budgetProblems({ code, maxInstructions }: Program): string[] {
  const problems: string[] = [];
  if (code.length % 2 !== 0) problems.push('the code has an odd number of words');
  if (code.length / 2 > MAX_INSTRUCTIONS) problems.push(`there are ${code.length / 2} instructions, more than ${MAX_INSTRUCTIONS}`);
  if (!Number.isSafeInteger(maxInstructions) || maxInstructions < 1 || maxInstructions > MAX_INSTRUCTION_BUDGET)
    problems.push(`the instruction budget ${maxInstructions} is not an integer from 1 to 2^40`);
  return problems;
}

function instructionProblem(program: Program, index: number, target: Target): string | undefined {
  const instruction = decode(program.code[2 * index] ?? 0, program.code[2 * index + 1] ?? 0);
  if (isIllegal(instruction)) return `illegal instruction: ${instruction.reason}`;
  const missing = extensionsOf(instruction).find((extension) => !hasExtension(target, extension));
  if (missing !== undefined) return `${instruction.mnemonic} needs the extension ${missing}, which target '${target.name}' lacks`;
  const offset = branchOffset(instruction);
  const destination = index + (offset ?? 0);
  if (destination < 0 || destination > instructionCount(program))
    return `${instruction.mnemonic} goes to instruction ${destination}, outside the program`;
  return undefined;
}

const isRange = ({ start, bytes }: Segment): boolean =>
  Number.isSafeInteger(start) && Number.isSafeInteger(bytes) && start >= 0 && bytes >= 0;

function memoryProblems(memory: MemoryMap, constantBytes: number, target: Target): string[] {
  const bad = SEGMENT_NAMES.filter((name) => !isRange(memory[name]));
  if (bad.length > 0) return bad.map((name) => `segment '${name}' has no valid start and size`);
  const problems = SEGMENT_NAMES.filter((name) => memory[name].start % SEGMENT_ALIGNMENT !== 0).map(
    (name) => `segment '${name}' starts at ${memory[name].start}, no multiple of ${SEGMENT_ALIGNMENT}`,
  );
  problems.push(...overlaps(SEGMENT_NAMES.map((name) => ({ name: `segment '${name}'`, ...memory[name] }))));
  if (constantBytes !== memory.constants.bytes)
    problems.push(`there are ${constantBytes} bytes of constants for a segment of ${memory.constants.bytes}`);
  const end = dramEnd(memory);
  const { dramBytes, vectorBytes, matrixBytes } = target.memory;
  if (end > dramBytes) problems.push(`the program needs ${end} bytes of DRAM, target '${target.name}' has ${dramBytes}`);
  if (end + vectorBytes + matrixBytes > ADDRESS_SPACE) problems.push(`DRAM of ${end} bytes and the scratchpads exceed 4 GiB`);
  return problems;
}

interface NamedRange extends Segment {
  readonly name: string;
}

/** Pairs of ranges, neighbours in order of address, that share bytes. Empty ranges overlap nothing. */
function overlaps(ranges: readonly NamedRange[]): string[] {
  const sorted = ranges.filter(({ bytes }) => bytes > 0).sort((a, b) => a.start - b.start);
  return sorted.flatMap((range, i) => {
    const next = sorted[i + 1];
    return next !== undefined && range.start + range.bytes > next.start ? [`${range.name} overlaps ${next.name}`] : [];
  });
}

function portProblems(direction: 'input' | 'output', ports: readonly Port[], segment: Segment, target: Target): string[] {
  const problems = ports.flatMap((port) => portProblem(port, segment, target).map((message) => `${direction} '${port.name}' ${message}`));
  // The host only reads outputs, so that several may be the same bytes.
  if (direction === 'input')
    problems.push(...overlaps(ports.map(({ name, address, bytes }) => ({ name: `${direction} '${name}'`, start: address, bytes }))));
  if (new Set(ports.map(({ name }) => name)).size !== ports.length) problems.push(`two ${direction}s share a name`);
  return problems;
}

function portProblem(port: Port, segment: Segment, target: Target): string[] {
  const problems: string[] = [];
  const { shape, address, bytes, layout, stored, via } = port;
  if (!shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0))
    problems.push(`has no valid shape [${shape.join(',')}]`);
  else if (bytes !== portBytes(port)) problems.push(`takes ${bytes} bytes, its shape and type ${portBytes(port)}`);
  if (!isPermutation(layout, shape.length)) problems.push(`has layout [${layout.join(',')}], no permutation of ${shape.length} dimensions`);
  if (!isRange({ start: address, bytes }) || address < segment.start || address + bytes > segment.start + segment.bytes)
    problems.push('does not lie in its segment');
  if (address % elementAlignment(stored) !== 0) problems.push(`starts at ${address}, which is not aligned for ${stored}`);
  for (const each of [stored, ...via])
    if (isQuantized(each) && quantizationOf(each).axis !== undefined) problems.push(`passes ${each}, which has more than one scale`);
  const { extension } = ELEMENT_CODES[codeOfStored(stored, target)];
  if (extension !== undefined && !hasExtension(target, extension))
    problems.push(
      isFixed(stored)
        ? `is stored as ${stored}, and target '${target.name}' has ${target.fractionBits} fraction bits`
        : `is stored as ${stored}, and target '${target.name}' lacks the extension ${extension}`,
    );
  return problems;
}

const elementAlignment = (element: StoredElement): number => elementBytes(element);

function isPermutation(layout: readonly number[], rank: number): boolean {
  return layout.length === rank && [...layout].sort((a, b) => a - b).every((dimension, i) => dimension === i);
}

function debugProblems(program: Program): string[] {
  const problems: string[] = [];
  let end = 0;
  for (const { first, count, node } of program.debug) {
    if (problems.length >= MAX_DIAGNOSTICS) break;
    const valid = Number.isSafeInteger(first) && Number.isSafeInteger(count) && count >= 0;
    if (!valid || first < end || first + count > instructionCount(program))
      problems.push(`the debug entry of '${node}' at instruction ${first} is out of order or out of range`);
    else end = first + count;
  }
  return problems;
}
