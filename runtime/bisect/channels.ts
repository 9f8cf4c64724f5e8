/** Which channels of a value are to blame: those of the float model are put in their place, and the rest of the graph is evaluated with them. */
import { fail } from '../../compiler/ir/diagnostic.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph, Stage } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { sameShape, tensorType } from '../../compiler/ir/types.ts';
import { fromNumbers, numbers } from '../../passes/contract/compare.ts';
import { selectionGate } from '../../passes/instruments/bisect.ts';
import { runPipeline } from '../../passes/manager.ts';
import type { BlamedStage, Trials } from './bisect.ts';
import type { Checker } from './check.ts';
import { isolate } from './ddmin.ts';

/** Channels of values, of which the float model's would mend the check. */
export interface ChannelBlame {
  readonly of: number;
  readonly culprits: readonly { readonly value: string; readonly channel: number }[];
  /** Whether one channel breaks the check by itself; else it takes all of `culprits`. */
  readonly alone: boolean;
}

/** The axis of a type's channels: images are N×C×…, and N×…×C in the legal form; the last axis of what has fewer than three. */
export function channelAxis(stage: Stage, { shape }: TensorType): number {
  return stage === 'legal' || shape.length < 3 ? Math.max(0, shape.length - 1) : 1;
}

export interface BlamedValues extends BlamedStage {
  /** The values that the transformations to blame rewrite. */
  readonly values: readonly string[];
}

/** Evaluates the graph after the blamed transformations with channels of their values replaced by what the graph before the pass gives. */
export async function blameChannels(checker: Checker, stage: BlamedValues, trials: Trials): Promise<ChannelBlame> {
  const { before, step, transformations, values } = stage;
  const gate = selectionGate(transformations.filter(({ value }) => value !== undefined && values.includes(value)));
  const { graph: after } = runPipeline(before, [step], { ...checker.pipeline, bisect: gate });
  const channels = values.flatMap((value) => channelsOf(before, after, value));
  if (channels.length === 0)
    fail('unsupported', 'bisect/no-channels', `${step.pass.name} leaves no value of one op whose channels can be told apart`, {
      hint: 'bisect over ops',
    });
  const floats = checker.context.samples.map(({ inputs }) => floatValues(before, after, values, inputs));

  /** With all channels but those at `places` replaced. */
  const tried = (what: string, places: readonly number[]) => {
    const own = new Set(places.map((place) => channelKey(channels[place])));
    const outputs = () =>
      checker.outcomes(async (samples) => {
        const all = [];
        for (const [i, sample] of samples.entries())
          all.push(await checker.evaluateSample(after, sample, (name, value) => mixed(after, name, value, floats[i]?.get(name), own)));
        return all;
      });
    return trials.test(what, async () => checker.judge({ outcomes: await outputs() }));
  };
  const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  if ((await tried('no channel', [])) === 'bad')
    fail('unsupported', 'bisect/channels', 'the check fails with all channels of the float model, too', {
      hint: 'other values changed as well: bisect over ops',
    });
  const { culprits, alone } = await isolate({
    count: channels.length,
    testFirst: (n) => tried(n === 1 ? 'only channel 0' : `channels 0 to ${n - 1}`, range(n)),
    testSet: (places) => tried(places.length === 1 ? `only channel ${places[0] ?? 0}` : `${places.length} channels`, places),
  });
  return { of: channels.length, culprits: culprits.flatMap((i) => channels.slice(i, i + 1)), alone };
}

interface Channel {
  readonly value: string;
  readonly channel: number;
}

const channelKey = (channel: Channel | undefined): string => `${channel?.value} ${channel?.channel}`;

/** The channels of a value that both graphs have, in one shape. */
function channelsOf(before: Graph, after: Graph, value: string): readonly Channel[] {
  const [old, now] = [before.find(value), after.find(value)];
  if (!old || now?.kind !== 'op' || !sameShape(old.type.shape, now.type.shape)) return [];
  const extent = now.type.shape[channelAxis(after.stage, now.type)] ?? 1;
  return Array.from({ length: extent }, (_, channel) => ({ value, channel }));
}

/** What the graph before the pass gives for some values, in the types that they have after it. */
function floatValues(
  before: Graph,
  after: Graph,
  values: readonly string[],
  inputs: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Tensor> {
  const wanted = new Map<string, Tensor>();
  const observe = ({ name }: { readonly name: string }, value: Tensor): void => {
    const now = values.includes(name) ? after.find(name)?.type : undefined;
    if (now && sameShape(now.shape, value.type.shape)) wanted.set(name, fromNumbers(now, numbers(value)));
  };
  evaluateGraph(before, inputs, { observe });
  return wanted;
}

/** A value with its own elements in the channels of `own`, and those of `float` in the others. */
function mixed(graph: Graph, name: string, value: Tensor, float: Tensor | undefined, own: ReadonlySet<string>): Tensor {
  if (!float) return value;
  const { type } = value;
  const axis = channelAxis(graph.stage, type);
  const inner = type.shape.slice(axis + 1).reduce((product, extent) => product * extent, 1);
  const extent = type.shape[axis] ?? 1;
  const data = value.data.slice();
  for (let i = 0; i < data.length; i++) {
    const channel = Math.floor(i / inner) % extent;
    const element = float.data[i];
    if (element !== undefined && !own.has(channelKey({ value: name, channel }))) data[i] = element;
  }
  return { type: tensorType(type.element, type.shape), data };
}
