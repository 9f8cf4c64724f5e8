/** Calibration from the command line: files, data, the zoo, and what may be wrong with them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { plumbline, succeed, temporaryFolder } from '../support/cli.ts';
import { modelBytes, node } from '../support/onnx-builder.ts';

const model = modelBytes({
  nodes: [node('Flatten', 'x', 'f'), node('Gemm', 'f v', 'y', {})],
  inputs: [{ name: 'x', shape: ['batch', 1, 28, 28] }],
  outputs: [{ name: 'y', shape: ['batch', 10] }],
  initializers: [{ name: 'v', dims: [784, 10], data: Float32Array.from({ length: 7840 }, (_, i) => ((i * 7) % 23) / 64 - 0.15) }],
});
/** Takes long to calibrate. */
const slow = modelBytes({
  nodes: [
    node('Conv', 'x u', 'c', { pads: [1, 1, 1, 1] }),
    node('Conv', 'c v', 'd', { pads: [1, 1, 1, 1] }),
    node('GlobalAveragePool', 'd', 'p'),
    node('Flatten', 'p', 'y'),
  ],
  inputs: [{ name: 'x', shape: [1, 1, 28, 28] }],
  outputs: [{ name: 'y', shape: [1, 512] }],
  initializers: [
    { name: 'u', dims: [128, 1, 3, 3], data: Float32Array.from({ length: 128 * 9 }, (_, i) => (i % 7) / 8) },
    { name: 'v', dims: [512, 128, 3, 3], data: Float32Array.from({ length: 512 * 128 * 9 }, (_, i) => (i % 5) / 64) },
  ],
});
const folder = temporaryFolder({ 'model.onnx': model, 'slow.onnx': slow, 'empty.json': '{}' });
afterAll(() => folder.remove());
const inFolder = { cwd: folder.path };
const IMAGES = join(process.cwd(), 'benchmarks/zoo/image/fashion-mnist/calibration');

describe('calibrate', () => {
  it('writes statistics with which quantization gives what it gives on the same data', async () => {
    const said = await succeed(['calibrate', 'lenet-300-100', '-o', 'l.calibration.json'], inFolder);
    expect(said).toBe('l.calibration.json: 5 values of lenet-300-100 on 500 samples of fashion-mnist (calibration)\n');
    const fromFile = await succeed(['opt', 'lenet-300-100', '-p', 'int8', '--calibration', 'l.calibration.json'], inFolder);
    expect(fromFile).toContain('%_2/Relu_output_0: i8<');
    expect(await succeed(['opt', 'lenet-300-100', '-p', 'int8'])).toBe(fromFile);
    const emitted = await succeed(
      ['compile', 'lenet-300-100', '-p', 'int8', '--emit', 'graph', '--calibration', 'l.calibration.json'],
      inFolder,
    );
    expect(emitted).toBe(fromFile.replace('stage(legal)', 'stage(optimized)'));
  });

  it('takes data for other models', async () => {
    await succeed(['calibrate', 'model.onnx', '--dim', 'batch=1', '-d', IMAGES, '-n', '20', '-o', 'm.calibration.json'], inFolder);
    const file = JSON.parse(readFileSync(join(folder.path, 'm.calibration.json'), 'utf8')) as { data: { samples: number }; values: object };
    expect(file.data.samples).toBe(20);
    expect(Object.keys(file.values)).toEqual(['x', 'f', 'y']);
    const quantized = ['opt', 'model.onnx', '--dim', 'batch=1', '-p', 'int8', '--calibration'];
    expect(await succeed([...quantized, 'm.calibration.json'], inFolder)).toContain('= gemm(');
    expect(await succeed([...quantized, IMAGES], inFolder)).toContain('= gemm(');
  });

  it.each([
    ['no samples in a text', ['opt', 'text.pir', '-p', 'int8'], 'text.pir is not of the zoo, and the passes need calibration data'],
    ['no data', ['opt', 'model.onnx', '--dim', 'batch=1', '-p', 'int8'], 'is not of the zoo, and the passes need calibration data'],
    ['another model', ['opt', 'lenet-5', '-p', 'int8', '--calibration', 'm.calibration.json'], 'was made for another model, model.onnx'],
    ['no such file', ['opt', 'lenet-5', '-p', 'int8', '--calibration', 'none.json'], 'none.json: no such file'],
    ['no statistics', ['opt', 'lenet-5', '-p', 'int8', '--calibration', 'empty.json'], 'empty.json: schema: '],
    ['other passes', ['opt', 'lenet-5', '-p', 'legalize-layout,quantize', '--calibration', 'l5.json'], 'l5.json: has no statistics of %'],
    ['statistics need none', ['calibrate', 'lenet-5', '-p', 'int8', '-o', 'x.json'], 'quantize needs statistics itself'],
    [
      'data that do not fit',
      ['calibrate', 'model.onnx', '--dim', 'batch=1', '-d', IMAGES, '--preprocess', 'resize=14x14', '-o', 'x.json'],
      "input 'x' takes 1x1x28x28",
    ],
  ])('%s', async (_name, args, message) => {
    if (args.includes('text.pir')) await succeed(['opt', 'model.onnx', '--dim', 'batch=1', '-o', 'text.pir'], inFolder);
    if (args.includes('l5.json')) await succeed(['calibrate', 'lenet-5', '-n', '2', '-o', 'l5.json'], inFolder);
    const result = await plumbline(args, inFolder);
    expect(result.stderr).toContain(message);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
    expect(result.code).toBe(2);
    expect(result.stdout).toBe('');
  });

  it('gives a ladder the row of a pass that needs statistics', async () => {
    const { rows } = JSON.parse(await succeed(['ladder', 'lenet-300-100', '-p', 'int8', '--limit', '100', '--json'])) as {
      rows: readonly { pass: string; timing: { cycles: number } }[];
    };
    const [before, last] = rows.slice(-2);
    expect(last?.pass).toBe('quantize');
    expect(last?.timing.cycles).toBeLessThan((before?.timing.cycles ?? NaN) / 3);
  });

  const given = ['-p', 'int8', '--calibration', IMAGES];
  const labelled = ['--data', IMAGES, ...given];
  it.each([
    ['ladder', 130, ['--limit', '1', '--contracts', '1', ...labelled]],
    ['diff', 130, ['--limit', '1', ...labelled]],
    ['explain', 130, ['y', ...labelled]],
    ['bisect', 130, ['--check', 'sqnr > 10', '--limit', '1', ...labelled]],
    ['reduce', 130, ['--check', 'cycles < 10', '--limit', '500', '--data', IMAGES, '-p', 'int8', '-o', 'interrupted']],
    // What does nothing else meanwhile is ended by the signal, before it has written anything.
    ['eval', null, labelled],
    ['opt', null, [...given, '-o', 'interrupted']],
    ['compile', null, [...given, '-o', 'interrupted']],
    ['profile', null, given],
    ['check', null, given],
    ['calibrate', null, ['--data', IMAGES, '-o', 'interrupted']],
  ])('is interrupted by Ctrl-C in %s', async (command, code, args) => {
    const result = await plumbline([command, 'slow.onnx', ...args], { ...inFolder, interruptAfter: 2500 });
    expect(result).toEqual({ code, stdout: '', stderr: '' });
    expect(existsSync(join(folder.path, 'interrupted'))).toBe(false);
  });

  it('says that a pipeline needs no statistics', async () => {
    writeFileSync(join(folder.path, 'any.json'), '{}');
    const { code, stderr } = await plumbline(['opt', 'lenet-300-100', '--calibration', 'any.json'], inFolder);
    expect(code).toBe(0);
    expect(stderr).toContain('warning: no pass of the pipeline needs calibration');
  });
});
