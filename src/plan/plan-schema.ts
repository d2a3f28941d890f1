import * as z from 'zod';
import { ADAPTER_NAME, SHORT_NAME } from '../config/field-checks.ts';
import { VARIANTS } from '../config/types.ts';
import { isDigest, isGitOid, isSha256Hex } from '../core/digest.ts';
import { isModelId } from '../core/hub-names.ts';
import { checkPaths } from '../hub/safe-path.ts';
import { isTag, parseReference } from '../oci/reference.ts';
import { PLAN_SCHEMA_VERSION } from './types.ts';

/**
 * The shape of a plan that comes as a file. Everything is checked that becomes a path, an address, a size or a digest;
 * what is only shown to people passes as it is, and fields that a later version adds stay.
 */

const text = z.string();
const size = z.int().min(0);
const revision = text.refine(isGitOid, 'expected a full commit');
const modelId = text.refine(isModelId, 'expected the id of a model');
const path = text.refine(isSafePath, 'expected a path inside the repository');
const adapterName = text.regex(ADAPTER_NAME);
const base64 = z.base64();
const digest = text.refine(isDigest, 'expected a digest');
const contentId = text.regex(/^(sha256:[0-9a-f]{64}|git:[0-9a-f]{40}|part:[0-9a-f]{64})$/);

function byVariant<T extends z.ZodType>(value: T) {
  return z.looseObject(Object.fromEntries(VARIANTS.map(variant => [variant, value])));
}

const file = z.looseObject({
  path,
  sizeBytes: size,
  sha256: text.refine(isSha256Hex).optional(),
  gitOid: text.refine(isGitOid),
});

const files = z.array(file).refine(arePathsDistinct, 'expected paths that can be beside each other');

const snapshot = z.looseObject({
  id: modelId,
  revision,
  gated: z.union([z.literal(false), text]),
  license: z.looseObject({ licenseName: text.nullable(), licenseLink: text.nullable() }),
  files,
});

const decision = z.looseObject({
  build: z.boolean(),
  rule: text,
  reason: text,
  evidence: z.array(z.looseObject({ field: text })),
});

const license = z.looseObject({ spdx: text.nullable(), declared: text.nullable() });

const outcome = z.looseObject({
  license: license.extend({ isPermissive: z.boolean() }),
  isGated: z.boolean(),
  texts: z.array(z.looseObject({ path: text, is: text })),
  lineage: z.array(license.extend({ id: text })),
  decisions: byVariant(decision),
  findings: z.array(z.looseObject({ check: text, says: text, from: text, verdict: text })),
  remedies: z.array(z.looseObject({ setting: text, effect: text })),
});

/** The folder of `/licenses` and everything below it. */
const licensePath = text.refine(value => value.startsWith('licenses/') && isSafePath(value));

const licenseEntry = z.looseObject({
  path: licensePath,
  mode: z.literal([0o644, 0o755]),
  sizeBytes: size,
  contentId,
  content: z.discriminatedUnion('kind', [
    z.looseObject({ kind: z.literal('inline'), text }),
    z.looseObject({ kind: z.literal('hub'), repository: modelId, revision, path }),
  ]),
});

const harvested = z.looseObject({
  snapshot: z.looseObject({ id: modelId, revision, license: snapshot.shape.license }),
  license,
  entries: z.array(licenseEntry),
  textSource: z.looseObject({ kind: z.enum(['upstream', 'spdx', 'none']) }),
  files: z.array(text),
});

const licenseTree = z.looseObject({
  entries: z.array(licenseEntry),
  model: harvested,
  ancestors: z.array(harvested),
  adapters: z.array(harvested.extend({ name: adapterName, dir: text, isGated: z.boolean() })).optional(),
  variant: z.enum(VARIANTS),
  modelDir: text,
  isGated: z.boolean(),
  sharded: z.array(z.looseObject({ path: text, parts: z.array(text) })),
});

const part = z
  .looseObject({ path, sizeBytes: size, header: base64, start: size, end: size })
  .refine(({ start, end }) => start <= end, 'expected an end that is not before its start');

const resharding = z.looseObject({
  files: z.array(
    z.looseObject({
      source: z.looseObject({ path, sizeBytes: size, contentId, header: base64 }),
      parts: z.array(part).min(1),
    }),
  ),
  indexes: z.array(z.looseObject({ path, text })),
});

const layerLimit = z.looseObject({ registry: text, maxLayerBytes: size, source: text });

const target = z.looseObject({
  registry: text,
  /** Null for one whose prefix comes from the environment of the publish. */
  repository: text.refine(isRepository, 'expected a repository').nullable(),
});

const leftOut = z.array(z.looseObject({ path: text, rule: text, reason: text }));

const adapter = z.looseObject({
  adapter: z.looseObject({ id: modelId, name: adapterName }),
  snapshot,
  files,
  leftOut,
  outcome,
  rank: z.int().min(1).nullable(),
});

const planned = z.looseObject({
  kind: z.literal('planned'),
  model: z.looseObject({ id: modelId, short: text }),
  snapshot,
  outcome,
  files,
  leftOut,
  adapters: z.array(adapter).optional(),
  fit: z.looseObject({
    status: z.enum(['ok', 'warn', 'refused', 'unknown']),
    findings: z.array(z.looseObject({ rule: text, message: text, evidence: text, remedy: text.optional() })),
  }),
  facts: z.looseObject({ weightBytes: size, task: text, precision: text, gpus: z.array(z.looseObject({})) }),
  targets: z.array(target),
  sharing: z.array(text.regex(SHORT_NAME)).optional(),
  pin: z
    .looseObject({
      revision,
      baseDigest: digest.optional(),
      adapters: z.record(adapterName, revision).optional(),
    })
    .optional(),
  layerLimit: layerLimit.optional(),
  registryLimit: layerLimit.optional(),
  resharding: resharding.optional(),
  fatRefusals: z.array(z.looseObject({ registry: text, decision, path: text, limit: layerLimit })).optional(),
  tags: byVariant(z.array(text.refine(isTag, 'expected a tag'))),
  licenses: byVariant(licenseTree),
});

const unresolved = z.looseObject({
  kind: z.literal('unresolved'),
  model: z.looseObject({ id: modelId, short: text }),
  error: z.looseObject({ code: text, message: text, subject: text.optional(), remedy: text.optional() }),
});

/** The shape that a plan file must have; keys that it does not know stay. */
export const planFileShape = z.looseObject({
  schemaVersion: z.literal(PLAN_SCHEMA_VERSION),
  config: z.looseObject({ digest }),
  models: z.array(z.discriminatedUnion('kind', [planned, unresolved])),
  warnings: z.array(text),
});

function isSafePath(value: string): boolean {
  return arePathsDistinct([{ path: value }]);
}

function arePathsDistinct(list: readonly { readonly path: string }[]): boolean {
  try {
    checkPaths(
      'the plan',
      list.map(one => one.path),
    );
    return true;
  } catch {
    return false;
  }
}

function isRepository(value: string): boolean {
  try {
    const { registry, repository, tag, digest } = parseReference(value);
    return tag === undefined && digest === undefined && `${registry}/${repository}` === value;
  } catch {
    return false;
  }
}
