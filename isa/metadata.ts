/** The metadata section of a `.cam` file: everything of a program but its code and constants, validated and bounded. */
import { z } from 'zod';
import { parseElementType, isFixed } from '../runtime/numerics/element.ts';
import { jsonPath } from './json.ts';
import type { PortElement, StoredElement } from './program.ts';
import { isStoredElement, MAX_INSTRUCTIONS, MAX_VIA } from './program.ts';

const MAX_NAME = 1024;
const MAX_PORTS = 256;
const MAX_RANK = 16;
const MAX_ORIGINS = 1024;

const name = z.string().min(1).max(MAX_NAME);
const size = z.number().int().nonnegative();

const segment = z.strictObject({ start: size, bytes: size });

const portElement = z
  .string()
  .max(8)
  .transform((text, context): PortElement => {
    const element = parseElementType(text);
    if (element !== undefined && (element === 'f32' || isFixed(element))) return element;
    context.addIssue({ code: 'custom', message: "an element type 'f32' or 'fx16.F' is expected" });
    return z.NEVER;
  });

const storedElement = z
  .string()
  .max(64)
  .transform((text, context): StoredElement => {
    const element = parseElementType(text);
    if (element !== undefined && isStoredElement(element)) return element;
    context.addIssue({ code: 'custom', message: 'an element type that real numbers are stored in is expected' });
    return z.NEVER;
  });

const port = z.strictObject({
  name,
  shape: z.array(size).max(MAX_RANK),
  element: portElement,
  address: size,
  bytes: size,
  layout: z.array(size).max(MAX_RANK),
  stored: storedElement,
  via: z.array(storedElement).max(MAX_VIA),
});

const debugEntry = z.strictObject({
  first: size,
  count: size,
  tile: z.string().max(4 * MAX_NAME),
  node: z.string().max(MAX_NAME),
  origin: z.array(z.string().max(MAX_NAME)).max(MAX_ORIGINS),
});

const metadataSchema = z.strictObject({
  target: name,
  targetHash: z.string().regex(/^[0-9a-f]{64}$/),
  producer: name,
  memory: z.strictObject({ constants: segment, inputs: segment, outputs: segment, activations: segment, spill: segment }),
  inputs: z.array(port).max(MAX_PORTS),
  outputs: z.array(port).max(MAX_PORTS),
  debug: z.array(debugEntry).max(MAX_INSTRUCTIONS),
  maxInstructions: size,
});

export type Metadata = z.infer<typeof metadataSchema>;

/** The metadata that JSON describes; `refuse` makes the error for the first place that is wrong. */
export function parseMetadata(json: unknown, refuse: (message: string) => Error): Metadata {
  const parsed = metadataSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refuse(`metadata, ${jsonPath(issue?.path ?? [])}: ${issue?.message ?? 'invalid'}`);
}
