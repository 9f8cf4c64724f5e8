/** Calibration statistics as a file: `NAME.calibration.json`. Equal model, data and number of samples give equal bytes. */
import { z } from 'zod';
import { HISTOGRAM_BINS } from '../../passes/calibration.ts';
import type { CalibrationStatistics } from '../../passes/calibration.ts';
import { DataError } from '../data/errors.ts';
import type { CalibrationData } from './calibration.ts';

export const CALIBRATION_SCHEMA = 'plumbline.calibration/1';

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'is no SHA-256 in hexadecimal');
const value = z
  .strictObject({
    count: z.int().positive(),
    min: z.number(),
    max: z.number(),
    means: z.array(z.number()).min(1),
    /** Elements in each bin; a run of empty bins is written as minus its length. */
    histogram: z.array(z.int()),
  })
  .refine(({ min, max }) => min <= max, 'min is above max')
  .refine(({ histogram, count }) => isHistogram(histogram, count), `the histogram has not ${HISTOGRAM_BINS} bins with all elements`);

const calibration = z.strictObject({
  schema: z.literal(CALIBRATION_SCHEMA),
  /** SHA-256 of the model file, or of the graph's text and constants. */
  model: z.strictObject({ name: z.string(), sha256: hash }),
  /** The passes that made the graph that was measured. */
  passes: z.string(),
  /** SHA-256 of preprocessing, stored bytes and classes. */
  data: z.strictObject({ name: z.string(), samples: z.int().positive(), sha256: hash, preprocess: z.unknown() }),
  values: z.record(z.string(), value),
});

type CalibrationFile = z.infer<typeof calibration>;

/** What a file says besides its statistics. */
export interface CalibrationIdentity {
  readonly model: { readonly name: string; readonly sha256: string };
  readonly passes: string;
}

export interface Calibration extends CalibrationIdentity {
  readonly statistics: CalibrationStatistics;
}

/** The text of a file. */
export function writeCalibration({ model, passes }: CalibrationIdentity, data: CalibrationData, statistics: CalibrationStatistics): string {
  const file: CalibrationFile = {
    schema: CALIBRATION_SCHEMA,
    model,
    passes,
    data: { name: data.name, samples: data.samples.length, sha256: data.sha256, preprocess: data.preprocess },
    values: Object.fromEntries(
      [...statistics].map(([name, { means, histogram, ...rest }]) => [name, { ...rest, means: [...means], histogram: packed(histogram) }]),
    ),
  };
  return `${JSON.stringify(file)}\n`;
}

/** Reads a file. Throws a `DataError` that names the first wrong place. */
export function parseCalibration(text: string, place: string): Calibration {
  const parsed = calibration.safeParse(jsonOf(text, place));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new DataError('data/format', place, `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'invalid'}`, HINT);
  }
  const { model, passes, values } = parsed.data;
  const statistics = new Map(
    Object.entries(values).map(([name, { histogram, ...rest }]) => [name, { ...rest, histogram: unpacked(histogram) }]),
  );
  return { model, passes, statistics };
}

const HINT = '`plumbline calibrate` writes such files';

function jsonOf(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DataError('data/format', place, 'is no JSON', HINT);
  }
}

/** Most bins of most values are empty. */
function packed(histogram: readonly number[]): number[] {
  const result: number[] = [];
  for (const elements of histogram) {
    const last = result.at(-1) ?? 0;
    if (elements > 0) result.push(elements);
    else if (last < 0) result[result.length - 1] = last - 1;
    else result.push(-1);
  }
  return result;
}

function unpacked(runs: readonly number[]): number[] {
  return runs.flatMap((run) => (run < 0 ? new Array<number>(-run).fill(0) : [run]));
}

function isHistogram(runs: readonly number[], count: number): boolean {
  let [bins, elements] = [0, 0];
  for (const run of runs) {
    bins += run < 0 ? -run : 1;
    elements += Math.max(0, run);
  }
  return bins === HISTOGRAM_BINS && elements === count;
}
