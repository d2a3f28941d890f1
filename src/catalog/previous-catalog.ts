import * as z from 'zod';
import { plainLines } from '../core/safe-text.ts';
import type { CatalogFacts, CatalogFit } from './catalog-data.ts';

/** What is read of an earlier `catalog.json`: a file that anything may have become of since, or the answer of a web server. */
export interface PreviousCatalog {
  readonly generated?: string | undefined;
  readonly models: readonly PreviousModel[];
}

/** A model of an earlier catalog. Fields are absent if they are not what this version writes. */
export interface PreviousModel {
  readonly short: string;
  readonly revision?: string | undefined;
  readonly version?: string | null | undefined;
  readonly access?: 'gated' | 'private' | null | undefined;
  readonly revisionDate?: string | null | undefined;
  readonly facts?: CatalogFacts | undefined;
  readonly fit?: CatalogFit | null | undefined;
  readonly images: readonly PreviousImage[];
}

/** An image of an earlier catalog. */
export interface PreviousImage {
  readonly digest: string;
  readonly created?: string | undefined;
  readonly firstSeen?: string | undefined;
}

const text = z.string();
/** What pages show. */
const words = text.transform(plainLines);
const name = text
  .regex(/^[\w.+-]{1,64}$/)
  .nullable()
  .catch(null);
const count = z.int().min(0).nullable().catch(null);
const odd = <T extends z.ZodType>(type: T) => type.optional().catch(undefined);

const facts: z.ZodType<CatalogFacts> = z.object({
  task: name,
  parameters: count,
  activeParameters: count,
  precision: name,
  quantization: name,
  contextLength: count,
  languages: z.array(text.regex(/^[a-z][a-z0-9-]{1,40}$/)).catch([]),
  architecture: name,
  kvBytesPerToken: count,
  weightBytes: count,
  gpus: z
    .array(
      z.object({ memoryGB: z.int().min(1), count: z.int().min(1).max(1024), contextLength: z.int().min(0) }),
    )
    .catch([]),
});

const fit = z.object({
  status: z.enum(['ok', 'warn', 'refused', 'unknown']),
  findings: z.array(z.object({ rule: words, message: words, evidence: words, remedy: words.optional() })),
}) as unknown as z.ZodType<CatalogFit>;

const model = z.object({
  short: text,
  revision: odd(words),
  version: odd(words.nullable()),
  access: odd(z.enum(['gated', 'private']).nullable()),
  revisionDate: odd(z.iso.datetime({ offset: true }).nullable()),
  facts: odd(facts),
  fit: odd(fit.nullable()),
  images: each(z.object({ digest: text, created: odd(text), firstSeen: odd(text) })),
});

const catalog = z.object({ schemaVersion: z.literal(1), generated: odd(text), models: each(model) });

/** Returns an earlier catalog; undefined for JSON that is not one. Models and images that are not as they should be are left out. */
export function readPreviousCatalog(json: unknown): PreviousCatalog | undefined {
  return catalog.safeParse(json).data;
}

/** The entries of a list that are of a type: one that is odd costs the others nothing. */
function each<T>(type: z.ZodType<T>) {
  return z.array(z.unknown()).transform(list => list.flatMap(one => type.safeParse(one).data ?? []));
}
