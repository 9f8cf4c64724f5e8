/** Files that are no models, damaged, or made to exhaust memory, stack or time. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listOperators } from '../../compiler/frontend/check.ts';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { diagnosticOf } from '../support/frontend.ts';
import { modelBytes, node } from '../support/onnx-builder.ts';

/** Small, with something of everything that the importer reads. */
const SMALL = modelBytes({
  nodes: [
    node('Constant', '', 'rest', { value: { tensor: { dims: [1], data: BigInt64Array.of(-1n) } } }),
    node('Shape', 'x', 'sizes'),
    node('Slice', 'sizes zero one', 'batch'),
    node('Concat', 'batch rest', 'shape', { axis: 0 }),
    node('Conv', 'x w b', 'c', { pads: [1, 1, 1, 1], strides: [2, 2], auto_pad: 'NOTSET', group: 1 }, 'conv'),
    node('BatchNormalization', 'c s s s s', 'n', { epsilon: { float: 0.001 } }),
    node('Clip', 'n lo', 'r'),
    node('Reshape', 'r shape', 'f'),
    node('Gemm', 'f g', 'y', { transB: 1, alpha: { float: 0.5 } }),
  ],
  inputs: [{ name: 'x', shape: ['batch', 1, 4, 4] }],
  outputs: [{ name: 'y', shape: ['batch', 3] }],
  initializers: [
    { name: 'w', dims: [2, 1, 3, 3], data: new Float32Array(18).fill(0.5) },
    { name: 'b', dims: [2], data: Float32Array.of(1, 2), storage: 'typed' },
    { name: 's', dims: [2], data: Float32Array.of(1, 1) },
    { name: 'lo', dims: [], data: Float32Array.of(0), storage: 'typed' },
    { name: 'zero', dims: [1], data: BigInt64Array.of(0n) },
    { name: 'one', dims: [1], data: BigInt64Array.of(1n) },
    { name: 'g', dims: [3, 8], data: new Float32Array(24).fill(0.25) },
  ],
});

/** Imports bytes; anything but success or a diagnostic is thrown. */
function survives(bytes: Uint8Array): void {
  try {
    importOnnx(bytes, { file: 'm.onnx', resolveExternal: () => new Uint8Array(16) });
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
  }
}

const NOT_ONNX = (reason: string): string =>
  `invalid onnx/not-onnx: m.onnx: not an ONNX model: ${reason} (a binary ModelProto is expected, as onnx.save and torch.onnx.export write it)`;

const errorOf = (bytes: Uint8Array): string => diagnosticOf(() => importOnnx(bytes, { file: 'm.onnx' }));

describe('damaged files', () => {
  test('the undamaged one is fine', () => {
    expect(errorOf(SMALL)).toBe('no error');
  });

  test('cut short anywhere', () => {
    for (let length = 0; length < SMALL.length; length++) {
      const cut = SMALL.subarray(0, length);
      survives(cut);
      expect(errorOf(cut)).not.toBe('no error');
    }
  });

  test('each byte replaced', () => {
    const damaged = SMALL.slice();
    for (let i = 0; i < damaged.length; i++) {
      const original = damaged[i] ?? 0;
      for (const value of [0, 0x7f, 0xff, original ^ 1, original ^ 0x80]) {
        damaged[i] = value;
        survives(damaged);
      }
      damaged[i] = original;
    }
  });

  test('several bits flipped at once', () => {
    const flips = fc.array(fc.tuple(fc.nat(SMALL.length - 1), fc.nat(7)), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(flips, (places) => {
        const damaged = SMALL.slice();
        for (const [at, bit] of places) damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        survives(damaged);
      }),
      { numRuns: 2000 },
    );
  });

  test('bytes at random', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives), { numRuns: 2000 });
  });
});

describe('files that are no models', () => {
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'it is empty'],
    ['text', new TextEncoder().encode('hello, world'), 'the field at byte 2 has the unknown wire type 4'],
    ['a PNG image', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), 'the file ends inside the field at byte 0'],
    ['a ZIP archive', new TextEncoder().encode('PK\u0003\u0004abcdefgh'), 'no field starts at byte 2'],
    ['a message without a graph', Uint8Array.of(0x08, 0x08), 'it has no graph'],
    ['the first half of a model', SMALL.subarray(0, SMALL.length >> 1), 'the file ends inside the field at byte 2'],
    ['a graph that is a number', Uint8Array.of(0x38, 0x01), 'field 7 before byte 1 has the wire type 0 instead of 2'],
    ['a number that does not end', Uint8Array.of(0x08, ...new Array<number>(11).fill(0xff)), 'a number has more than 64 bits'],
    ['a group', Uint8Array.of(0x0b, 0x0c), 'the field at byte 0 has the unknown wire type 3'],
  ])('%s', (_, bytes, reason) => {
    expect(errorOf(bytes)).toBe(NOT_ONNX(reason));
    expect(diagnosticOf(() => listOperators(bytes))).toMatch(/^invalid onnx\/not-onnx: not an ONNX model/);
  });

  test('not even the size of one', () => {
    const huge = { length: 2 ** 31 + 1 } as Uint8Array;
    expect(errorOf(huge)).toBe(NOT_ONNX('it has 2147483649 bytes and protocol buffers end at 2147483648'));
  });
});

describe('files that ask for too much', () => {
  /** A field that holds bytes. */
  const field = (number: number, payload: Uint8Array): Uint8Array => {
    const head = [(number << 3) | 2];
    for (let rest = payload.length; ; rest = Math.floor(rest / 128)) {
      head.push(rest < 128 ? rest : (rest % 128) | 128);
      if (rest < 128) break;
    }
    const bytes = new Uint8Array(head.length + payload.length);
    bytes.set(head);
    bytes.set(payload, head.length);
    return bytes;
  };

  test('millions of empty nodes', () => {
    const nodes = new Uint8Array(10_000_000);
    for (let i = 0; i < nodes.length; i += 2) nodes[i] = 0x0a;
    expect(errorOf(field(7, nodes))).toBe(NOT_ONNX('its fields take more than the memory budget of 512 MiB, which --memory-budget raises'));
  });

  test('graphs inside of graphs', () => {
    let graph: Uint8Array = new Uint8Array(0);
    for (let i = 0; i < 2000; i++) graph = field(1, field(5, field(6, graph)));
    const opset = field(8, Uint8Array.of(0x10, 13));
    const whole = field(7, graph);
    const bytes = new Uint8Array(opset.length + whole.length);
    bytes.set(opset);
    bytes.set(whole, opset.length);
    expect(errorOf(bytes)).toBe('unsupported onnx/unsupported-op: m.onnx: operators are not supported:  ×1');
  });

  test('a tensor larger than its data', () => {
    const initializers = [{ name: 'w', dims: [2 ** 20, 2 ** 20], data: Float32Array.of(1) }];
    const bytes = modelBytes({
      nodes: [node('Add', 'x w', 'y')],
      inputs: [{ name: 'x', shape: [1] }],
      outputs: [{ name: 'y' }],
      initializers,
    });
    expect(errorOf(bytes)).toBe(
      'invalid onnx/bad-tensor: m.onnx: initializer w: shape [1048576,1048576] needs 4398046511104 bytes of data, not 4',
    );
  });

  test('more dimensions than a tensor can have, or a tensor that no memory holds', () => {
    const unsqueezed = (shape: number[], count: number): string => {
      const nodes = [node('Unsqueeze', 'x', 'y', { axes: Array.from({ length: count }, (_, i) => i) })];
      return errorOf(modelBytes({ opset: 11, nodes, inputs: [{ name: 'x', shape }], outputs: [{ name: 'y' }] }));
    };
    expect(unsqueezed([1], 20)).toBe('invalid ir/type: m.onnx: %y: a tensor has at most 16 dimensions, not 21');
    expect(unsqueezed([2 ** 31, 100], 1)).toMatch(/^invalid ir\/type: m.onnx: %x: \[2147483648,100\] is larger than the address space/);
  });
});
