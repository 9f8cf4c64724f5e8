/** Quantized integers: sums of them, and conversions from and to f32. */
import { ELEMENT_CODES } from '../../../isa/fields.ts';
import { canonical, floatFromBits } from '../../numerics/float.ts';
import { dequantizeInteger, quantizeFloat, saturate8, scaledSum } from '../../numerics/requantize.ts';
import { vectorAt } from './rows.ts';
import type { Execute } from './types.ts';
import { elementShift, highElement, lowElement, unsignedRegister } from './types.ts';

/** The bounds in the halves of a scalar, saturated to the element type. */
export function boundsOf(type: number, bounds: number): readonly [low: number, high: number] {
  const [low, high] = [lowElement(bounds), highElement(bounds)];
  return type === ELEMENT_CODES.i8.code ? [saturate8(low), saturate8(high)] : [low, high];
}

const add: Execute<'VQAV'> = (state, { fields }) => {
  const { registers, memory } = state;
  const x = memory.signedBytes;
  const size = unsignedRegister(state, fields.size);
  const [out, a, b] = [vectorAt(state, fields.out), vectorAt(state, fields.a), vectorAt(state, fields.b)];
  const factors = registers[fields.factors] as number;
  const scaling = {
    factorA: lowElement(factors),
    factorB: highElement(factors),
    addend: registers[fields.addend] as number,
    shift: registers[fields.shift] as number,
  };
  const [low, high] = boundsOf(ELEMENT_CODES.i8.code, registers[fields.bounds] as number);
  for (let i = 0; i < size; i++) x[out + i] = scaledSum(x[a + i] as number, x[b + i] as number, scaling, low, high);
};

const quantize: Execute<'VQZ'> = (state, { fields }) => {
  const { registers, memory } = state;
  const size = unsignedRegister(state, fields.size);
  const shift = elementShift(fields.type);
  const x = shift === 0 ? memory.signedBytes : memory.halves;
  const [out, input] = [vectorAt(state, fields.out) >>> shift, vectorAt(state, fields.in) >>> 2];
  const scale = floatFromBits(registers[fields.scale] as number);
  const zero = lowElement(registers[fields.zero] as number);
  const [low, high] = boundsOf(fields.type, registers[fields.bounds] as number);
  for (let i = 0; i < size; i++) x[out + i] = quantizeFloat(memory.floats[input + i] as number, scale, zero, low, high);
};

const dequantize: Execute<'VDQ'> = (state, { fields }) => {
  const { registers, memory } = state;
  const size = unsignedRegister(state, fields.size);
  const shift = elementShift(fields.type);
  const x = shift === 0 ? memory.signedBytes : memory.halves;
  const [out, input] = [vectorAt(state, fields.out) >>> 2, vectorAt(state, fields.in) >>> shift];
  const scale = floatFromBits(registers[fields.scale] as number);
  const zero = lowElement(registers[fields.zero] as number);
  for (let i = 0; i < size; i++) memory.floats[out + i] = canonical(dequantizeInteger(x[input + i] as number, scale, zero));
};

export const QUANTIZED = { VQAV: add, VQZ: quantize, VDQ: dequantize } as const;
