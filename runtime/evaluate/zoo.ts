/** The manifest of the networks and data that ship: `benchmarks/zoo/zoo.json`. Paths are relative to its folder. */
import { z } from 'zod';
import { DataError } from '../data/errors.ts';

const filePair = { images: z.string(), labels: z.string() };

const dataset = z.strictObject({
  doc: z.string(),
  licence: z.string(),
  /** Test set. */
  ...filePair,
  /** Samples that no test set shares, for choosing parameters. */
  calibration: z.strictObject(filePair),
  /** The text of the preprocessing that the models were trained with. */
  preprocess: z.string(),
  classes: z.array(z.string()),
});

const model = z.strictObject({
  doc: z.string(),
  model: z.string(),
  input: z.string(),
  dataset: z.string(),
  parameters: z.number().int().positive(),
  /** Of the float model on the whole test set, as the framework that trained it measured. */
  top1: z.number().min(0).max(1),
});

const zoo = z
  .strictObject({
    schema: z.literal('plumbline.zoo/1'),
    datasets: z.record(z.string(), dataset),
    models: z.record(z.string(), model),
  })
  .superRefine(({ datasets, models }, context) => {
    for (const [name, { dataset: wanted }] of Object.entries(models))
      if (!Object.hasOwn(datasets, wanted))
        context.addIssue({ code: 'custom', path: ['models', name, 'dataset'], message: `there is no data set ${wanted}` });
  });

export type Zoo = z.infer<typeof zoo>;
export type ZooModel = z.infer<typeof model>;
export type ZooDataset = z.infer<typeof dataset>;

/** The manifest that parsed JSON holds. Throws a `DataError` that names the first wrong place. */
export function parseZoo(json: unknown, place: string): Zoo {
  const parsed = zoo.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new DataError('data/format', place, `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}
