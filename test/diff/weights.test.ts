/** How weights use their type, channel by channel. */
import { describe, expect, test } from 'vitest';
import { parseGraph } from '../../compiler/ir/text.ts';
import { weightsOf } from '../../runtime/diff/weights.ts';

const graph = parseGraph(
  `graph @test stage(legal) {
  %x: f32[1,2] = input
  %w: f32[2,3] = constant [1, -4, 0.5, 2, 3, 0.25]
  %float: f32[1,3] = gemm(%x, %w)
  %q: i8<0.5>[1,2] = quantize(%x) {to=i8<0.5>}
  %tensor.w: i8<0.25>[2,3] = constant [1, -127, 0, 2, 100, 3]
  %tensor: f32[1,3] = gemm(%q, %tensor.w) {result=f32}
  %channel.w: i8<axis=1:0.5 0.25 2>[2,3] = constant [1, -127, 0, 2, 100, 3]
  %channel: f32[1,3] = gemm(%q, %channel.w) {result=f32}
  output "a" = %float
  output "b" = %tensor
  output "c" = %channel
}`,
  { file: 'test' },
);

describe('weights', () => {
  test('of floats have magnitudes', () => {
    expect(weightsOf('float', graph)).toEqual({ type: 'f32[2,3]', channels: 3, magnitude: { least: 0.5, median: 2, greatest: 4 } });
  });

  test('with one scale take the steps that their channel needs', () => {
    expect(weightsOf('tensor', graph)).toEqual({
      type: 'i8[2,3]',
      channels: 3,
      magnitude: { least: 0.5, median: 0.75, greatest: 31.75 },
      steps: { least: 2, median: 3, greatest: 127, scales: 'tensor', available: 127 },
    });
  });

  test('with scales of channels are measured by their own', () => {
    expect(weightsOf('channel', graph)).toMatchObject({
      magnitude: { least: 1, median: 6, greatest: 31.75 },
      steps: { least: 2, median: 3, greatest: 127, scales: 'channel' },
    });
  });

  test('are not those of anything else', () => {
    expect(weightsOf('q', graph)).toBeUndefined();
    expect(weightsOf('x', graph)).toBeUndefined();
  });
});
