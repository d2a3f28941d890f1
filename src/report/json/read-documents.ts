import * as z from 'zod';
import { SEVERITIES, VARIANTS } from '../../config/types.ts';
import { ConfigError } from '../../core/errors.ts';
import { isRecord, parseJson } from '../../core/json-shape.ts';
import { plainLine } from '../../core/safe-text.ts';
import { readSmallFile } from '../../core/small-file.ts';
import { reasonOf } from '../../core/system-error.ts';
import { LAYER_KINDS } from '../../image/format/layer-kinds.ts';
import type { PlanJson } from './plan-json.ts';
import type { PublishJson } from './publish-json.ts';
import type { ScanJson } from './scan-json.ts';

// Files that another run of this program wrote, as what is shown of them has to be: anything may have become of them on
// their way through a job's artifacts. Fields that nothing reads are left as they are.

/** 1,000 models with all their evidence have some 20 MB. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

const text = z.string();
const count = z.number().min(0);
const variant = z.enum(VARIANTS);
/** It goes into commands that people copy. */
const dir = text.regex(/^(\/[\w.@+-]+)+$/);
const error = z.looseObject({ code: text, message: text, remedy: text.optional() });
const decision = z.looseObject({ build: z.boolean(), reason: text });
const fileList = z.array(text);
const fromTo = z.looseObject({ from: text, to: text });
const change = z.looseObject({
  revision: fromTo.optional(),
  license: fromTo.optional(),
  base: fromTo.optional(),
  adapters: z.record(text, fromTo).optional(),
  files: z.looseObject({ added: fileList, removed: fileList, changed: fileList }).optional(),
});
const image = z.looseObject({
  registry: text,
  variant,
  tags: z.array(text),
  refusedTags: z.array(z.looseObject({ tag: text, error })).optional(),
  signature: z.looseObject({ status: text, error: error.optional() }).optional(),
  digest: text.optional(),
  status: z.enum(['published', 'unchanged', 'skipped', 'failed']),
  reason: text.optional(),
  error: error.optional(),
  bytes: z.looseObject({ downloaded: count, uploaded: count, mounted: count, reused: count }),
  sizes: z
    .object(Object.fromEntries(LAYER_KINDS.map(kind => [kind, count.default(0)])))
    .catchall(count)
    .optional(),
  change: change.optional(),
});
const publishJson = z.looseObject({
  schemaVersion: z.literal(1),
  models: z.array(
    z.looseObject({
      id: text,
      short: text,
      revision: text.nullable(),
      license: text.nullish(),
      decisions: z.record(text, decision).nullable(),
      images: z.array(image),
      serve: z.looseObject({ port: z.int().min(1).max(65_535), dir, modelBytes: count }).optional(),
      durationMs: count.optional(),
      error: error.optional(),
    }),
  ),
});

const finding = z.looseObject({
  kind: z.enum(['vulnerability', 'secret', 'misconfiguration']),
  id: text,
  severity: z.enum(SEVERITIES),
  title: text,
  subject: text,
  installedVersion: text.optional(),
  fixedVersion: text.optional(),
});
const scanJson = z.looseObject({
  schemaVersion: z.literal(1),
  scans: z.array(
    z.looseObject({
      id: text,
      short: text,
      variant,
      digest: text,
      platform: text,
      references: z.array(text),
      base: z.looseObject({ name: text, digest: text }).nullable(),
      summary: z.looseObject({
        scanner: text.optional(),
        databaseDate: text.nullish(),
        vulnerabilities: z.record(text, count),
        fixable: count,
        secrets: count,
        misconfigurations: count,
      }),
      findings: z.array(finding),
      failing: count,
    }),
  ),
  failures: z.array(z.looseObject({ short: text, variant, error })),
});

const planJson = z.looseObject({
  schemaVersion: z.literal(1),
  models: z.array(
    z.looseObject({
      id: text,
      short: text,
      revision: text.nullish(),
      license: text.nullish(),
      decisions: z.record(text, decision).nullish(),
      images: z.array(z.looseObject({ registry: text, variant, tags: z.array(text) })),
      files: z.array(z.looseObject({ path: text, size: count })),
      fit: z
        .looseObject({ findings: z.array(z.looseObject({ message: text, remedy: text.optional() })) })
        .nullish(),
      error: error.optional(),
    }),
  ),
});

/** Returns the document that `plan --json` printed. Throws ConfigError USAGE. */
export async function readPlanJson(file: string): Promise<PlanJson> {
  return parsePlanJson(await read(file, PLAN), file);
}

/** Returns the document that `plan --json` printed, from its bytes. Throws ConfigError USAGE. */
export function parsePlanJson(bytes: Buffer, file: string): PlanJson {
  return parse(bytes, file, planJson, PLAN) as unknown as PlanJson;
}

/** Returns the document that `publish --result` wrote. Throws ConfigError USAGE. */
export async function readPublishJson(file: string): Promise<PublishJson> {
  return parsePublishJson(await read(file, PUBLISH), file);
}

/** Returns the document that `publish --result` wrote, from its bytes. Throws ConfigError USAGE. */
export function parsePublishJson(bytes: Buffer, file: string): PublishJson {
  return parse(bytes, file, publishJson, PUBLISH) as unknown as PublishJson;
}

/** Returns the document that `scan --result` wrote. Throws ConfigError USAGE. */
export async function readScanJson(file: string): Promise<ScanJson> {
  return parseScanJson(await read(file, SCAN), file);
}

/** Returns the document that `scan --result` wrote, from its bytes. Throws ConfigError USAGE. */
export function parseScanJson(bytes: Buffer, file: string): ScanJson {
  return parse(bytes, file, scanJson, SCAN) as unknown as ScanJson;
}

/** Where a document comes from. */
interface Origin {
  /** To be read after "a document". */
  readonly what: string;
  readonly command: string;
}

const PLAN: Origin = { what: 'of `plan --json`', command: 'weighbridge plan --json > <file>' };
const PUBLISH: Origin = { what: 'of `publish --result`', command: 'weighbridge publish --result <file>' };
const SCAN: Origin = { what: 'of `scan --result`', command: 'weighbridge scan --result <file>' };

async function read(file: string, origin: Origin): Promise<Buffer> {
  try {
    return await readSmallFile(file, { maxBytes: MAX_FILE_BYTES, isPipeAllowed: true });
  } catch (cause) {
    throw unreadable(file, reasonOf(cause), origin, cause);
  }
}

function parse(bytes: Buffer, file: string, schema: z.ZodType, origin: Origin): unknown {
  let json: unknown;
  try {
    json = parseJson(bytes.toString('utf8'));
  } catch (cause) {
    throw unreadable(file, 'it is not JSON', origin, cause);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const place = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  const version = isRecord(json) ? json.schemaVersion : undefined;
  throw new ConfigError(
    typeof version === 'number' && version > 1
      ? `${file} has schemaVersion ${version}: it is from a newer version of Weighbridge, and this one reads 1`
      : `${file} is not a document ${origin.what}${place && `: ${plainLine(place)} is missing or has a wrong value`}`,
    { code: 'USAGE', subject: file, remedy: remedyOf(origin) },
  );
}

function unreadable(file: string, why: string, origin: Origin, cause: unknown): ConfigError {
  const message = `${file} cannot be read: ${why}`;
  return new ConfigError(message, { code: 'USAGE', subject: file, remedy: remedyOf(origin), cause });
}

function remedyOf({ command }: Origin): string {
  return `Write it with: ${command}.`;
}
