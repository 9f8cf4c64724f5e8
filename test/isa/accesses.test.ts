import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResolvedAccess } from '../../isa/accesses.ts';
import { bindAccesses, movedBytes, resolveAccesses, resolveBound } from '../../isa/accesses.ts';
import { assemble } from '../../isa/assembly.ts';
import { isIllegal } from '../../isa/codec.ts';
import { formOf } from '../../isa/instruction.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import { recordOf } from '../../isa/table.ts';
import { arbitraryInstruction } from '../support/instructions.ts';

function one(text: string): AnyInstruction {
  const [instruction] = assemble(text).instructions;
  if (instruction === undefined || isIllegal(instruction)) throw new Error(`${text} is no instruction`);
  return instruction;
}

function resolve(text: string, registers: readonly number[]): ResolvedAccess[] {
  return resolveAccesses(one(text), (register) => registers[register] ?? 0);
}

const brief = (access: ResolvedAccess) => [access.space, access.mode, access.start, access.low, access.end, movedBytes(access)];

describe('accesses', () => {
  it('of a vector operation', () => {
    const [out, a, b] = resolve('VAV $1, $2, $3, $4', [0, 100, 5, 200, 300]);
    expect(out).toEqual({
      access: recordOf('VAV').accesses[0],
      space: 'vector',
      mode: 'write',
      start: 100,
      elementBytes: 2,
      rowBytes: 10,
      rows: 1,
      strideBytes: 0,
      planes: 1,
      planeStrideBytes: 0,
      low: 100,
      end: 110,
    });
    expect([a, b].map((access) => access && brief(access))).toEqual([
      ['vector', 'read', 200, 200, 210, 10],
      ['vector', 'read', 300, 300, 310, 10],
    ]);
  });

  it('of a repeated operation, with negative and zero strides', () => {
    const registers = [0, 100, 5, 200, 300, 3, 20, -40, 0];
    expect(resolve('VAV.f32.rep $1, $2, $3, $4, $5, $6, $7, $8', registers).map(brief)).toEqual([
      ['vector', 'write', 100, 100, 160, 60],
      ['vector', 'read', 200, 120, 220, 60],
      ['vector', 'read', 300, 300, 320, 60],
    ]);
  });

  it('of products: accumulators are read when acc is set, the matrix is not repeated', () => {
    const registers = [0, 64, 3, 128, 256, 4, 2, 12, 16];
    expect(resolve('VMM.f32.rep $1, $2, $3, $4, $5, $6, $7, $8', registers).map(brief)).toEqual([
      ['vector', 'write', 64, 64, 88, 24],
      ['matrix', 'read', 128, 128, 176, 48],
      ['vector', 'read', 256, 256, 288, 32],
    ]);
    expect(resolve('VMM.f32.acc $1, $2, $3, $4, $5', registers)[0]?.mode).toBe('update');
  });

  it('of transfers: base plus offset modulo 2^32, ends beyond it', () => {
    expect(resolve('VLOAD $1, $2, $3, #-4', [0, 8, 10, 2]).map(brief)).toEqual([
      ['vector', 'write', 8, 8, 28, 20],
      ['dram', 'read', 2 ** 32 - 2, 2 ** 32 - 2, 2 ** 32 + 18, 20],
    ]);
    expect(resolve('SSTORE $1, $2, #6', [0, 8, 10]).map(brief)).toEqual([['dram', 'write', 16, 16, 20, 4]]);
  });

  it('of three-dimensional transfers: dense rows in the scratchpad, strided ones in memory, strided planes in both', () => {
    const registers = [0, 1000, 2, 5000, 3, 100, 5, 16, -200];
    const [local, memory] = resolve('VLOAD3 $1, $2, $3, $4, $5, $6, $7, $8', registers);
    expect(local).toMatchObject({
      space: 'vector',
      rows: 3,
      planes: 5,
      strideBytes: 4,
      planeStrideBytes: 16,
      low: 1000,
      end: 1076,
      rowBytes: 4,
    });
    expect(memory).toMatchObject({ space: 'dram', rows: 3, planes: 5, strideBytes: 100, planeStrideBytes: -200, low: 4200, end: 5204 });
  });

  it('of the outer product', () => {
    expect(resolve('OP $1, $2, $3, $4, $5', [0, 64, 0, 3, 32, 5]).map(brief)).toEqual([
      ['matrix', 'write', 64, 64, 94, 30],
      ['vector', 'read', 0, 0, 6, 6],
      ['vector', 'read', 32, 32, 42, 10],
    ]);
  });

  it.each([
    ['no outputs', 'VMM $1, $2, $3, $4, $5', [0, 64, 0, 128, 256, 4]],
    ['no rows', 'VAV.rep $1, $2, $3, $4, $5, $6, $7, $8', [0, 64, 4, 128, 256, 0, 8, 8, 8]],
    ['no repetitions of a product', 'VMM.rep $1, $2, $3, $4, $5, $6, $7, $8', [0, 64, 4, 128, 256, 4, 0, 8, 8]],
    ['no planes', 'VSTORE3 $1, $2, $3, $4, $5, $6, $7, $8', [0, 64, 4, 128, 2, 8, 0, 8, 8]],
    ['no elements', 'VSTORE $1, $2, $3, #0', [0, 64, 0, 128]],
    ['no elements to reduce', 'VDP $1, $2, $3, $4', [0, 64, 0, 128]],
  ])('are all empty with %s', (_, text, registers) => {
    for (const access of resolve(text, registers)) {
      expect(movedBytes(access)).toBe(0);
      expect([access.low, access.end]).toEqual([access.start, access.start]);
    }
  });

  it('write a product of no inputs', () => {
    expect(resolve('VMM $1, $2, $3, $4, $5', [0, 64, 3, 128, 256, 0]).map(movedBytes)).toEqual([6, 0, 0]);
  });

  it('cover exactly the rows and planes that the registers describe', () => {
    const value = fc.oneof(fc.integer({ min: -20, max: 200 }), fc.nat({ max: 3 }), fc.integer());
    fc.assert(
      fc.property(arbitraryInstruction(), fc.array(value, { minLength: 64, maxLength: 64 }), (instruction, registers) => {
        const accesses = resolveBound(bindAccesses(instruction), (register) => registers[register] ?? 0);
        expect(accesses).toHaveLength(recordOf(instruction.mnemonic).accesses.length);
        for (const { low, end, start, rowBytes, rows, strideBytes, planes, planeStrideBytes } of accesses) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(start).toBeLessThan(2 ** 32);
          if (rows === 0) continue;
          const corners = [0, (rows - 1) * strideBytes].flatMap((row) =>
            [0, (planes - 1) * planeStrideBytes].map((plane) => start + row + plane),
          );
          expect(low).toBe(Math.min(...corners));
          expect(end).toBe(Math.max(...corners) + rowBytes);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('name registers of the form that the instruction has', () => {
    fc.assert(
      fc.property(arbitraryInstruction(), (instruction) => {
        const form = formOf(instruction.mnemonic, instruction.form);
        const registers = new Set(
          Object.entries(form.fields).flatMap(([name, field]) => (field.kind === 'register' ? [instruction.fields[name]] : [])),
        );
        resolveAccesses(instruction, (register) => {
          expect(registers.has(register)).toBe(true);
          return 1;
        });
      }),
      { numRuns: 3000 },
    );
  });
});
