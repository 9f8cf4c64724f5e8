/**
 * The ten benchmark networks of the Cambricon paper (Liu et al., ISCA 2016): data for each, and what its program must compute, written from
 * the formulas in the head of its `.casm` file. Weights are random: the shapes are the paper's, its data sets are not here.
 */
import { fromFixed16, toFixed16 } from '../../runtime/numerics/fixed.ts';
import { uniformF32, xorshift32 } from '../../runtime/numerics/random.ts';
import type { Arithmetic, Vector } from './arithmetic.ts';
import { at, rowsOf } from './arithmetic.ts';
import type { Arrays } from './program.ts';

export interface Network {
  /** As in the paper's table of benchmarks. */
  readonly shape: string;
  /** What the program does, and so what is measured. */
  readonly phase: string;
  readonly inputs: Arrays;
  readonly constants: Arrays;
  /** Whether units are compared with random numbers: then the last bit of a probability may change all that follows. */
  readonly sampled: boolean;
  /** The outputs. */
  readonly reference: (arithmetic: Arithmetic) => Arrays;
}

/** Fraction bits of the data: so they are exact on the target, and every reference starts from the same numbers. */
const FRACTION_BITS = 10;

const grid = (x: number): number => fromFixed16(toFixed16(x, FRACTION_BITS), FRACTION_BITS);

/** Random data; each network has a seed of its own. */
class Source {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
    for (let i = 0; i < 8; i++) this.#next(); // small seeds take some steps to spread over all bits
  }

  #next(): number {
    this.#state = xorshift32(this.#state);
    return uniformF32(this.#state);
  }

  /** Uniform over [low, high). */
  uniform(count: number, low: number, high: number): number[] {
    return Array.from({ length: count }, () => grid(low + (high - low) * this.#next()));
  }

  /** A matrix whose products with numbers uniform over [0, 1) have about `spread` as their standard deviation. */
  weights(outputs: number, inputs: number, spread: number): number[] {
    const limit = (3 * spread) / Math.sqrt(inputs);
    return this.uniform(outputs * inputs, -limit, limit);
  }

  biases(count: number): number[] {
    return this.uniform(count, -0.5, 0.5);
  }

  /** 1 and 0, with 1 as likely as given. */
  bits(count: number, likely = 0.5): number[] {
    return Array.from({ length: count }, () => (this.#next() < likely ? 1 : 0));
  }
}

const zeros = (count: number): number[] => new Array<number>(count).fill(0);

/** A layer of logistic units. */
function logisticLayer(weights: Vector, biases: Vector, x: Vector, math: Arithmetic): number[] {
  return math.logistic(math.add(math.times(weights, x), biases));
}

function mlp(): Network {
  const source = new Source(1);
  const x = source.uniform(64, 0, 1);
  const [W1, b1] = [source.weights(150, 64, 1.5), source.biases(150)];
  const [W2, b2] = [source.weights(150, 150, 1.5), source.biases(150)];
  const [W3, b3] = [source.weights(14, 150, 1), source.biases(14)];
  return {
    shape: '64-150-150-14',
    phase: 'inference, one sample',
    inputs: { x },
    constants: { W1, b1, W2, b2, W3, b3 },
    sampled: false,
    reference: (math) => {
      const first = logisticLayer(W1, b1, x, math);
      const second = logisticLayer(W2, b2, first, math);
      return { y: logisticLayer(W3, b3, second, math) };
    },
  };
}

interface Maps {
  readonly width: number;
  readonly channels: number;
  /** By row, column and channel. */
  readonly values: Vector;
}

/** Logistic units on the window of each pixel; kernels by output, row, column and input channel. */
function convolve({ width, channels, values }: Maps, size: number, kernels: Vector, biases: Vector, math: Arithmetic): Maps {
  const after = width - size + 1;
  const sums: number[] = [];
  for (let y = 0; y < after; y++)
    for (let x = 0; x < after; x++) {
      const window: number[] = [];
      for (let dy = 0; dy < size; dy++)
        for (let dx = 0; dx < size; dx++)
          for (let c = 0; c < channels; c++) window.push(at(values, ((y + dy) * width + x + dx) * channels + c));
      sums.push(...math.add(math.times(kernels, window), biases));
    }
  return { width: after, channels: biases.length, values: math.logistic(sums) };
}

/** The greatest of each window of 2 × 2; windows do not overlap. */
function pool({ width, channels, values }: Maps): Maps {
  const half = width / 2;
  const pooled = Array.from({ length: half * half * channels }, (_, i) => {
    const c = i % channels;
    const x = 2 * (Math.floor(i / channels) % half);
    const y = 2 * Math.floor(i / channels / half);
    return Math.max(...[0, 1].flatMap((dy) => [0, 1].map((dx) => at(values, ((y + dy) * width + x + dx) * channels + c))));
  });
  return { width: half, channels, values: pooled };
}

function cnn(): Network {
  const source = new Source(2);
  const image = source.uniform(1024, 0, 1);
  const [K1, b1] = [source.weights(6, 25, 1.5), source.biases(6)];
  const [K2, b2] = [source.weights(16, 150, 1.5), source.biases(16)];
  const [W5, b5] = [source.weights(120, 400, 1.5), source.biases(120)];
  const [W6, b6] = [source.weights(84, 120, 1.5), source.biases(84)];
  const [W7, b7] = [source.weights(10, 84, 1.5), source.biases(10)];
  return {
    shape: 'LeNet-5, 1@32x32',
    phase: 'inference, one image',
    inputs: { image },
    constants: { K1, b1, K2, b2, W5, b5, W6, b6, W7, b7 },
    sampled: false,
    reference: (math) => {
      const first = pool(convolve({ width: 32, channels: 1, values: image }, 5, K1, b1, math));
      const second = pool(convolve(first, 5, K2, b2, math));
      const fifth = logisticLayer(W5, b5, second.values, math);
      return { y: logisticLayer(W7, b7, logisticLayer(W6, b6, fifth, math), math) };
    },
  };
}

const FRAMES = 20;

function rnn(): Network {
  const source = new Source(3);
  const x = source.uniform(FRAMES * 26, -1, 1);
  const [W, U, b] = [source.weights(93, 26, 1), source.weights(93, 93, 1), source.biases(93)];
  const [V, c] = [source.weights(61, 93, 2), source.biases(61)];
  return {
    shape: '26-93-61',
    phase: `inference, ${FRAMES} frames`,
    inputs: { x },
    constants: { W, U, b, V, c },
    sampled: false,
    reference: (math) => {
      let h = zeros(93);
      const y = rowsOf(x, 26).flatMap((frame) => {
        h = math.logistic(math.add(math.add(math.times(W, frame), math.times(U, h)), b));
        return math.softmax(math.add(math.times(V, h), c));
      });
      return { y };
    },
  };
}

function lstm(): Network {
  const source = new Source(4);
  const x = source.uniform(FRAMES * 26, -1, 1);
  const [W, U, b] = [source.weights(372, 26, 0.6), source.weights(372, 93, 0.6), source.biases(372)];
  const [V, d] = [source.weights(61, 93, 5), source.biases(61)];
  return {
    shape: '26-93-61',
    phase: `inference, ${FRAMES} frames`,
    inputs: { x },
    constants: { W, U, b, V, d },
    sampled: false,
    reference: (math) => {
      let [h, cells] = [zeros(93), zeros(93)];
      const y = rowsOf(x, 26).flatMap((frame) => {
        const sums = math.add(math.add(math.times(W, frame), math.times(U, h)), b);
        const [i = [], f = [], o = [], g = []] = rowsOf(sums, 93);
        const kept = math.multiply(math.logistic(f), cells);
        cells = math.add(kept, math.multiply(math.logistic(i), math.tanh(g)));
        h = math.multiply(math.logistic(o), math.tanh(cells));
        return math.softmax(math.add(math.times(V, h), d));
      });
      return { y };
    },
  };
}

const AUTOENCODER_UNITS = [320, 200, 100, 50] as const;
/** The step of the running mean, and the weight of the penalty times r and 1 - r. */
const SPARSITY = { meanStep: grid(0.1), wanted: grid(0.05 / 4), unwanted: grid(0.95 / 4) };

/** Both autoencoders: one step of pre-training for each hidden layer, then classification. */
function autoencoder(seed: number, sparse: boolean): Network {
  const source = new Source(seed);
  const x = source.uniform(320, 0, 1);
  const layers = [1, 2, 3].map((layer) => {
    const [before, units] = [AUTOENCODER_UNITS[layer - 1] ?? 0, AUTOENCODER_UNITS[layer] ?? 0];
    const [W, b, c] = [source.weights(units, before, 1), source.biases(units), source.biases(before)];
    return { layer, W, b, c, q: source.uniform(units, 0.2, 0.8) };
  });
  const [W4, b4] = [source.weights(10, 50, 1.5), source.biases(10)];
  const byLayer = layers.flatMap(({ layer, W, b, c, q }) => [
    [`W${layer}`, W] as const,
    [`b${layer}`, b] as const,
    [`c${layer}`, c] as const,
    ...(sparse ? [[`q${layer}`, q] as const] : []),
  ]);
  return {
    shape: '320-200-100-50-10',
    phase: `one pre-training step of each hidden layer${sparse ? ' with sparsity penalty' : ''}, then inference, one sample`,
    inputs: { x },
    constants: { sizes: AUTOENCODER_UNITS, ...Object.fromEntries(byLayer), W4, b4 },
    sampled: false,
    reference: (math) => {
      const outputs: Record<string, Vector> = {};
      let input: Vector = x;
      for (const { layer, W, b, c, q } of layers) {
        const hidden = logisticLayer(W, b, input, math);
        const decoded = math.logistic(math.add(math.transposedTimes(W, hidden), c));
        const slope = (y: Vector): Vector => math.subtract(y, math.multiply(y, y));
        const outputDelta = math.multiply(math.subtract(decoded, input), slope(decoded));
        let error = math.times(W, outputDelta);
        if (sparse) {
          const mean = math.add(q, math.scale(math.subtract(hidden, q), SPARSITY.meanStep));
          const tooLittle = mean.map(() => SPARSITY.wanted);
          const tooMuch = mean.map(() => SPARSITY.unwanted);
          const rest = math.plus(math.scale(mean, -1), 1);
          error = math.add(error, math.subtract(math.divide(tooMuch, rest), math.divide(tooLittle, mean)));
          outputs[`q${layer}_new`] = mean;
        }
        const hiddenDelta = math.multiply(error, slope(hidden));
        const gradient = math.add(math.outer(hidden, outputDelta), math.outer(hiddenDelta, input));
        const weights = math.subtract(W, math.scale(gradient, 0.5));
        const biases = math.subtract(b, math.scale(hiddenDelta, 0.5));
        outputs[`W${layer}_new`] = weights;
        outputs[`b${layer}_new`] = biases;
        outputs[`c${layer}_new`] = math.subtract(c, math.scale(outputDelta, 0.5));
        input = logisticLayer(weights, biases, input, math);
      }
      return { ...outputs, y: logisticLayer(W4, b4, input, math) };
    },
  };
}

function boltzmann(): Network {
  const source = new Source(7);
  const [v, h, b, c] = [source.bits(500), source.bits(500), source.biases(500), source.biases(500)];
  const W = source.weights(500, 500, 0.7);
  const L = symmetric(source.weights(500, 500, 0.7), 500);
  return {
    shape: 'V500-H500',
    phase: 'Gibbs sampling, four sweeps',
    inputs: { v, h },
    constants: { b, c, W, L },
    sampled: true,
    reference: (math) => {
      let [visible, hidden]: [Vector, Vector] = [v, h];
      for (let sweep = 0; sweep < 4; sweep++) {
        hidden = math.sample(math.logistic(math.add(math.add(math.times(W, visible), math.times(L, hidden)), b)));
        visible = math.sample(math.logistic(math.add(math.transposedTimes(W, hidden), c)));
      }
      return { v_new: visible, h_new: hidden };
    },
  };
}

/** A square matrix with its lower triangle mirrored and nothing on the diagonal. */
function symmetric(matrix: Vector, size: number): number[] {
  return matrix.map((_, i) => {
    const [row, column] = [Math.floor(i / size), i % size];
    return row === column ? 0 : at(matrix, Math.max(row, column) * size + Math.min(row, column));
  });
}

function rbm(): Network {
  const source = new Source(8);
  const [v, b, c] = [source.bits(500), source.biases(500), source.biases(500)];
  const W = source.weights(500, 500, 1);
  return {
    shape: 'V500-H500',
    phase: 'one step of contrastive divergence (CD-1), one sample',
    inputs: { v },
    constants: { b, c, W },
    sampled: true,
    reference: (math) => {
      const h0 = math.sample(logisticLayer(W, b, v, math));
      const v1 = math.sample(math.logistic(math.add(math.transposedTimes(W, h0), c)));
      const h1 = logisticLayer(W, b, v1, math);
      const gradient = math.subtract(math.outer(h0, v), math.outer(h1, v1));
      return {
        b_new: math.add(b, math.scale(math.subtract(h0, h1), 1 / 16)),
        c_new: math.add(c, math.scale(math.subtract(v, v1), 1 / 16)),
        W_new: math.add(W, math.scale(gradient, 1 / 16)),
      };
    },
  };
}

/** The learning rate of each neuron for each winner, on a grid of 6 × 6: 0.3 times a Gaussian of standard deviation 1. */
function neighbourhood(): number[] {
  return Array.from({ length: 36 * 36 }, (_, i) => {
    const [winner, neuron] = [Math.floor(i / 36), i % 36];
    const dy = Math.floor(winner / 6) - Math.floor(neuron / 6);
    const dx = (winner % 6) - (neuron % 6);
    return grid(0.3 * Math.exp(-(dx * dx + dy * dy) / 2));
  });
}

function som(): Network {
  const source = new Source(9);
  const x = source.uniform(4 * 64, 0, 1);
  const w = source.uniform(36 * 64, 0, 1);
  const rates = neighbourhood();
  return {
    shape: '64 inputs, 36 neurons',
    phase: 'training, four samples',
    inputs: { x },
    constants: { w, t: rates.map((rate) => rate * 2 ** FRACTION_BITS) },
    sampled: false,
    reference: (math) => {
      let weights: Vector = w;
      for (const sample of rowsOf(x, 64)) {
        const neurons = rowsOf(weights, 64);
        const differences = neurons.map((neuron) => math.subtract(sample, neuron));
        const distances = differences.map((difference) => math.dot(difference, difference));
        const winner = distances.indexOf(Math.min(...distances));
        weights = neurons.flatMap((neuron, n) => math.add(neuron, math.scale(differences[n] ?? [], at(rates, winner * 36 + n))));
      }
      return { w_new: weights };
    },
  };
}

function hopfield(): Network {
  const source = new Source(10);
  const signs = (bits: Vector): number[] => bits.map((bit) => 2 * bit - 1);
  const patterns = signs(source.bits(500));
  const flipped = source.bits(500, 0.15);
  const probes = patterns.map((component, i) => (at(flipped, i) === 1 ? -component : component));
  return {
    shape: '5 vectors of 100 components',
    phase: 'storage of five vectors, recall of five',
    inputs: { s: probes },
    constants: { p: patterns, diagonal: Array.from({ length: 10_000 }, (_, i) => (i % 101 === 0 ? -5 : 0)) },
    sampled: false,
    reference: (math) => {
      const stored = rowsOf(patterns, 100);
      const W = Array.from({ length: 10_000 }, (_, i) => {
        const [row, column] = [Math.floor(i / 100), i % 100];
        return row === column ? 0 : stored.reduce((sum, p) => sum + at(p, row) * at(p, column), 0) / 128;
      });
      const recalled = rowsOf(probes, 100).flatMap((probe) => {
        let state: Vector = probe;
        for (let step = 0; step < 10; step++) state = math.times(W, state).map((x) => (x > 0 ? 1 : -1));
        return state;
      });
      return { recalled };
    },
  };
}

/** By the name of the `.casm` file, in the order of the paper's table. Data take some megabytes, so they are made on demand. */
export const NETWORKS = {
  mlp,
  cnn,
  rnn,
  lstm,
  autoencoder: () => autoencoder(5, false),
  'sparse-autoencoder': () => autoencoder(6, true),
  boltzmann,
  rbm,
  som,
  hopfield,
} as const satisfies Readonly<Record<string, () => Network>>;
export type NetworkName = keyof typeof NETWORKS;
export const NETWORK_NAMES = Object.keys(NETWORKS) as readonly NetworkName[];
