/** Arrays of users at the ports of a program. */
import type { Port, Program } from '../../isa/program.ts';
import { isReshaped, transposeHint } from '../../runtime/data/orders.ts';
import type { NpyArray, NpyType } from '../../runtime/data/npy.ts';
import { encodeNpy, npyTypeName, parseNpy } from '../../runtime/data/npy.ts';
import type { PortData } from '../../runtime/machine/host.ts';
import { readFile, writeFile } from '../../runtime/platform/node.ts';
import { fail } from '../ir/diagnostic.ts';
import { failUnknown } from './suggest.ts';

/** A port and the file that goes with it. */
export interface PortFile {
  readonly port: Port;
  readonly path: string;
}

/** Files given as `name=x.npy`, or `x.npy` where there is one port, for ports of a program. */
export function portFiles(direction: 'input' | 'output', given: readonly string[], { inputs, outputs }: Program): readonly PortFile[] {
  const ports = direction === 'input' ? inputs : outputs;
  const files = given.map((text): PortFile => {
    const at = text.indexOf('=');
    const [only] = ports;
    // The longest first: a name may begin with another and hold the sign itself.
    const named = ports.toSorted((a, b) => b.name.length - a.name.length).find(({ name }) => text.startsWith(`${name}=`));
    if (named) return { port: named, path: text.slice(named.name.length + 1) };
    if (at < 0 && only && ports.length === 1) return { port: only, path: text };
    const names = ports.map(({ name }) => name);
    if (at > 0) return failUnknown(`cli/unknown-${direction}`, direction, text.slice(0, at), names);
    return fail('usage', `cli/unnamed-${direction}`, `'${text}' does not say which ${direction} it is for`, {
      hint: `write NAME=${text} with one of ${names.join(', ')}`,
    });
  });
  const twice = files.find(({ port }, i) => files.findIndex((other) => other.port === port) !== i);
  if (twice) return fail('usage', `cli/${direction}-twice`, `${direction} '${twice.port.name}' is given twice`);
  return files;
}

/** `float32 of 1x1x28x28` */
export function describePort({ element, shape }: Port): string {
  return `${npyTypeName(typeOf(element))} of ${shape.length === 0 ? 'no dimensions' : shape.join('x')}`;
}

function typeOf(element: Port['element']): NpyType {
  return element === 'f32' ? 'f4' : 'i2';
}

/** Reads an input. Its type and shape must be the port's. */
export function readInput({ port, path }: PortFile): PortData {
  const array = parseNpy(readFile(path), path);
  const { type, shape, data } = array;
  const fits = type === typeOf(port.element) && shape.length === port.shape.length && shape.every((d, i) => d === port.shape[i]);
  if (fits && (data instanceof Float32Array || data instanceof Int16Array)) return data;
  return fail('invalid', 'cli/input-type', `input '${port.name}' takes ${describePort(port)}, the file holds ${describeArray(array)}`, {
    place: [path],
    hint: conversion(array, port),
  });
}

function describeArray({ type, shape }: NpyArray): string {
  return `${npyTypeName(type)} of ${shape.length === 0 ? 'no dimensions' : shape.join('x')}`;
}

function conversion({ type, shape, data }: NpyArray, port: Port): string {
  const wanted = typeOf(port.element);
  if (type !== wanted) return `convert it: array.astype('${npyTypeName(wanted)}')`;
  const turned = transposeHint('array', shape, port.shape);
  if (turned !== undefined) return turned;
  const count = port.shape.reduce((product, d) => product * d, 1);
  if (data.length === count && isReshaped(shape, port.shape)) return `convert it: array.reshape(${port.shape.join(', ')})`;
  return data.length === count
    ? 'its elements stand in another order: see what the model wants'
    : 'compile the model for this shape with --dim or --shape';
}

/** Elements of an array that are no finite numbers. */
export interface NotFinite {
  readonly nan: number;
  readonly infinite: number;
}

/** How many elements are no finite numbers; undefined where all are. */
export function countNotFinite(data: PortData): NotFinite | undefined {
  let [nan, infinite] = [0, 0];
  for (const value of data)
    if (Number.isNaN(value)) nan++;
    else if (!Number.isFinite(value)) infinite++;
  return nan + infinite > 0 ? { nan, infinite } : undefined;
}

/** `3 NaN and 1 infinite of 784 elements` */
export function describeNotFinite({ nan, infinite }: NotFinite, data: PortData): string {
  const parts = [...(nan > 0 ? [`${nan} NaN`] : []), ...(infinite > 0 ? [`${infinite} infinite`] : [])];
  return `${parts.join(' and ')} of ${data.length} elements`;
}

export function writeOutput({ port, path }: PortFile, data: PortData): void {
  writeFile(path, encodeNpy({ type: typeOf(port.element), shape: port.shape, data }));
}
