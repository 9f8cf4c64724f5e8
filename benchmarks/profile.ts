/** `npm run bench:profile`: where the cycles of vgg and resnet go on `cambricon`. Writes benchmarks/results/profile.md. */
import { findModel, loadGraph } from '../compiler/cli/model.ts';
import { loadTarget } from '../compiler/cli/target.ts';
import { compileModel } from '../compiler/pipeline.ts';
import { parsePipeline, printPipeline } from '../passes/pipeline-text.ts';
import { profileProgram } from '../runtime/evaluate/profile.ts';
import { renderProfile } from '../runtime/report/profile.ts';
import { publish } from './report.ts';

/** Layers below this share of their roof are named with what holds them up. */
const NEAR = 0.6;

function section(model: string): string {
  const target = loadTarget('cambricon');
  const passes = parsePipeline('O1');
  const { program } = compileModel(loadGraph(findModel(model), { batch: 1 }), { target, passes });
  const profile = profileProgram(program, target, { model, passes: printPipeline(passes) });
  const far = profile.layers.filter(({ ofRoof }) => ofRoof < NEAR);
  const reasons = far.map(({ layer, origin, ofRoof, stalls, cycles }) => {
    const held = Object.entries(stalls)
      .filter(([cause]) => cause !== 'matrix' && cause !== 'vector')
      .sort(([, a], [, b]) => b - a)
      .slice(0, 2)
      .map(([cause, each]) => `${cause} ${each} of ${cycles} cycles`);
    return `- ${origin[0] ?? layer}: ${Math.round(100 * ofRoof)} % of its roof, for ${held.join(' and ')}.`;
  });
  return [`## ${model}`, '', '```', renderProfile(profile).trimEnd(), '```', '', ...reasons, ''].join('\n');
}

const text = [
  '# Where the cycles go',
  '',
  'Printed by `npm run bench:profile`: f32 on `cambricon`, one image at a time. A layer far from its roof is a short one: the load in front of it and the store behind it hide',
  'behind nothing, and a pooling or an addition moves as many bytes as it computes elements.',
  '',
  ...['vgg', 'resnet'].map(section),
].join('\n');
publish('profile.md', text);
