/** From accumulators to elements: conversions with an activation, and the ends of float and of integer sums. */
import { ELEMENT_CODES } from '../../../isa/fields.ts';
import { canonical, floatFromBits } from '../../numerics/float.ts';
import { requantizeFixedSum, requantizeSum } from '../../numerics/requantize.ts';
import type { MachineState } from '../state.ts';
import { floatRow, isFloat } from './float-rows.ts';
import { boundsOf } from './quantized.ts';
import * as float from './rows-f32.ts';
import * as fixed from './rows-fx16.ts';
import { elementRow, forDenseRows, vectorAt } from './rows.ts';
import type { Execute } from './types.ts';
import { elementShift, F32, lowElement, unsignedRegister } from './types.ts';

/** Values of the field `activation`. */
const RELU = 1;
const CLIP = 2;

/** Value of the field `to`. */
const TO_F32 = 1;

type Activated = Readonly<Record<'activation' | 'low' | 'high', number>>;

function floatActivation({ registers }: MachineState, { activation, low, high }: Activated): float.FloatRow {
  if (activation === CLIP) return float.clip(floatFromBits(registers[low] as number), floatFromBits(registers[high] as number));
  return activation === RELU ? float.relu : float.identity;
}

function fixedActivation({ registers }: MachineState, { activation, low, high }: Activated): fixed.FixedRow {
  if (activation === CLIP) return fixed.clip(lowElement(registers[low] as number), lowElement(registers[high] as number));
  return activation === RELU ? fixed.relu : fixed.identity;
}

const convert: Execute<'VCVT'> = (state, { fields }) => {
  const { type, type_out: outType } = fields;
  const size = unsignedRegister(state, fields.size);
  if (size === 0) return;
  const activate = floatActivation(state, fields);
  const row = isFloat(type) ? floatRow(state, activate, outType, type) : elementRow(state, type, activate, fixedActivation(state, fields));
  const a = vectorAt(state, fields.in);
  row(vectorAt(state, fields.out), a, a, size);
};

const finishFloats: Execute<'VFIN'> = (state, { fields }) => {
  const outType = fields.to === TO_F32 ? F32 : fields.type;
  const activate = floatActivation(state, fields);
  const row = floatRow(
    state,
    (x, out, a, b, count) => {
      float.add(x, out, a, b, count);
      activate(x, out, out, out, count);
    },
    outType,
    F32,
  );
  const bias = vectorAt(state, fields.bias);
  forDenseRows(state, fields, { outBytes: 1 << elementShift(outType), inBytes: 4 }, (out, input, size) => row(out, input, bias, size));
};

/** The parts of the control of VRQ: bits 7 to 0, and bits 15 to 8 with their sign. */
const shiftOf = (control: number): number => control & 0xff;
const zeroOf = (control: number): number => (control << 16) >> 24;

type Row = (out: number, input: number, size: number) => void;

/** Sums of 32 bits. Parameters: biases, then multipliers or scales. */
function finishBytes({ memory, registers }: MachineState, fields: Parameters<Execute<'VRQ'>>[1]['fields'], params: number): Row {
  const { words, floats, signedBytes } = memory;
  const bias = params >>> 2;
  if (fields.to === TO_F32)
    return (out, input, size) => {
      for (let i = 0; i < size; i++) {
        const sum = ((words[(input >>> 2) + i] as number) + (words[bias + i] as number)) | 0;
        floats[(out >>> 2) + i] = canonical(Math.fround(sum) * (floats[bias + size + i] as number));
      }
    };
  const control = registers[fields.control] as number;
  const [low, high] = boundsOf(fields.type, registers[fields.bounds] as number);
  return (out, input, size) => {
    for (let i = 0; i < size; i++) {
      const sum = ((words[(input >>> 2) + i] as number) + (words[bias + i] as number)) | 0;
      signedBytes[out + i] = requantizeSum(sum, words[bias + size + i] as number, shiftOf(control), zeroOf(control), low, high);
    }
  };
}

/** Sums of 64 bits. Parameters: biases. A double decides rightly: what it rounds is beyond all bounds. */
function finishFixed({ memory, registers }: MachineState, fields: Parameters<Execute<'VRQ'>>[1]['fields'], params: number): Row {
  const { longs, floats, halves } = memory;
  const bias = params >>> 3;
  const shift = shiftOf(registers[fields.control] as number);
  const sumAt = (input: number, i: number): number =>
    Number(BigInt.asIntN(64, (longs[(input >>> 3) + i] as bigint) + (longs[bias + i] as bigint)));
  if (fields.to === TO_F32)
    return (out, input, size) => {
      for (let i = 0; i < size; i++) floats[(out >>> 2) + i] = sumAt(input, i) / 2 ** shift;
    };
  const [low, high] = boundsOf(fields.type, registers[fields.bounds] as number);
  return (out, input, size) => {
    for (let i = 0; i < size; i++) halves[(out >>> 1) + i] = requantizeFixedSum(sumAt(input, i), shift, low, high);
  };
}

const finishIntegers: Execute<'VRQ'> = (state, { fields }) => {
  const isBytes = fields.type === ELEMENT_CODES.i8.code;
  const row = (isBytes ? finishBytes : finishFixed)(state, fields, vectorAt(state, fields.params));
  const outBytes = fields.to === TO_F32 ? 4 : 1 << elementShift(fields.type);
  forDenseRows(state, fields, { outBytes, inBytes: isBytes ? 4 : 8 }, row);
};

export const FINISH = { VCVT: convert, VFIN: finishFloats, VRQ: finishIntegers } as const;
