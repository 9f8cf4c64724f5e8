/** The ten networks of the Cambricon paper, in published instructions: outputs equal the references, and counts are those of the golden file. */
import { describe, expect, it } from 'vitest';
import type { Measurement, Mix } from '../../benchmarks/cambricon/measure.ts';
import { instructionsOf, measure } from '../../benchmarks/cambricon/measure.ts';
import { NETWORK_NAMES, NETWORKS } from '../../benchmarks/cambricon/networks.ts';
import { networkProgram } from '../../benchmarks/cambricon/program.ts';
import { INSTRUCTION_CLASSES } from '../../runtime/machine/activity.ts';
import { fromFixed16, FIXED_MAX, FIXED_MIN } from '../../runtime/numerics/fixed.ts';
import { expectGolden } from '../support/golden.ts';
import { loadTarget } from '../support/targets.ts';

const target = loadTarget('cambricon-base');
const LEAST = fromFixed16(FIXED_MIN, target.fractionBits);
const GREATEST = fromFixed16(FIXED_MAX, target.fractionBits);

/**
 * What 16 bits may cost: e^a / (1 + e^a) is off by as much at most where 1 + e^a saturates at 32. A network that is further from double
 * precision needs another binary point.
 */
const TOLERANCE = 1 / 32;

function line(name: string, mix: Mix): string {
  const classes = INSTRUCTION_CLASSES.map((each) => `${each} ${mix[each]}`);
  return `  ${name} ${instructionsOf(mix)}: ${classes.join(', ')}\n`;
}

const measured = new Map(NETWORK_NAMES.map((name) => [name, measure(name, target)]));
const of = (name: (typeof NETWORK_NAMES)[number]): Measurement => measured.get(name) ?? measure(name, target);

describe.each(NETWORK_NAMES)('%s', (name) => {
  const { network, outputs } = of(name);

  it('has outputs, all equal to the reference in fixed point', () => {
    expect(outputs.length).toBeGreaterThan(0);
    expect(outputs.map((output) => [output.name, output.differing])).toEqual(outputs.map((output) => [output.name, 0]));
  });

  it('stays in the range of the format, and its outputs say something', () => {
    for (const { values } of outputs) {
      expect(values.filter((value) => value <= LEAST || value >= GREATEST)).toEqual([]);
      const [discrete, distinct] = [name === 'boltzmann' || name === 'hopfield', new Set(values).size];
      if (discrete) expect(distinct).toBe(2);
      else expect(distinct).toBeGreaterThanOrEqual(Math.min(values.length, 40) / 2);
    }
  });

  // Of what is drawn at random another precision draws something else.
  if (!network.sampled)
    it('is near the reference in double precision', () => {
      for (const { error } of outputs) expect(error).toBeLessThan(TOLERANCE);
    });
});

describe('the networks', () => {
  it('that learn change their weights, by less than they are', () => {
    for (const [name, weights] of [
      ['autoencoder', 'W1'],
      ['sparse-autoencoder', 'W1'],
      ['rbm', 'W'],
      ['som', 'w'],
    ] as const) {
      const { network, outputs } = of(name);
      const before = network.constants[weights] ?? [];
      const after = outputs.find((output) => output.name === `${weights}_new`)?.values ?? [];
      const norm = (values: readonly number[]): number => Math.hypot(...values.slice(0, 2000));
      const change = norm(after.map((value, i) => value - (before[i] ?? NaN)));
      expect(change, name).toBeGreaterThan(0.001 * norm(before));
      expect(change, name).toBeLessThan(norm(before));
    }
  });

  it('recall what the Hopfield network has stored', () => {
    const { network, outputs } = of('hopfield');
    expect(network.inputs['s']).not.toEqual(network.constants['p']);
    expect(outputs[0]?.values).toEqual(network.constants['p']);
  });

  it('sample both states of the Boltzmann machine', () => {
    for (const { values } of of('boltzmann').outputs) {
      const ones = values.filter((value) => value === 1).length;
      expect(ones).toBeGreaterThan(100);
      expect(ones).toBeLessThan(400);
    }
  });

  it('are refused without their constants', () => {
    expect(() => networkProgram('mlp', { ...NETWORKS.mlp().constants, b2: [0] }, target)).toThrow(
      "benchmarks/cambricon/mlp.casm: the constants 'b2' are missing or of another size",
    );
  });

  it('have the counts of the golden file', () => {
    const text = NETWORK_NAMES.map((name) => {
      const { static: inProgram, body, dynamic, macs, dramBytes } = of(name);
      return `${name}: ${macs} MACs, ${dramBytes} bytes of DRAM traffic\n${line('in the program', inProgram)}${line('body', body)}${line('executed', dynamic)}`;
    }).join('');
    expectGolden('test/golden/cambricon-networks.txt', text);
  });
});
