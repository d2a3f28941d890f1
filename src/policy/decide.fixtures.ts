import { parseConfig } from '../config/load-config.ts';
import type { ModelConfig } from '../config/types.ts';
import { byVariant } from '../config/variants.ts';
import type { HubFile, LicenseFacts, ModelSnapshot } from '../hub/types.ts';
import type { LicenseIdentity } from '../spdx/identify-license.ts';
import {
  type Ancestor,
  type LegalText,
  type LineageClaims,
  NO_LINEAGE_CLAIMS,
  type PolicyFacts,
} from './facts.ts';

export const WHITELIST = ['apache-2.0', 'mit', 'bsd-2-clause', 'bsd-3-clause', 'isc', 'cc0-1.0', 'unlicense'];
export const REVISION = '0123456789abcdef0123456789abcdef01234567';

export function modelConfig(changes: Partial<ModelConfig> = {}): ModelConfig {
  const [model] = parseConfig(SMALLEST, 'models.yaml').models;
  if (model === undefined) throw new TypeError('a file of one model has none');
  return { ...model, permissiveWhitelist: WHITELIST, serveArgs: [], tags: byVariant(() => []), ...changes };
}

const SMALLEST = 'models: [{ id: acme/x, short: x }]';

export function modelSnapshot(
  license: LicenseFacts['license'],
  changes: Partial<ModelSnapshot> = {},
): ModelSnapshot {
  return {
    id: 'acme/x',
    requestedId: 'acme/x',
    revision: REVISION,
    gated: false,
    isPrivate: false,
    license: { license, licenseName: null, licenseLink: null },
    tags: [],
    baseModels: [],
    files: [],
    ...changes,
  };
}

/** A license file of the model that is the text of an SPDX license. */
export function textOf(path: string, ...ids: string[]): LegalText {
  return { path, about: 'model', identity: { kind: 'spdx', ids } };
}

export function textThatIs(
  path: string,
  identity: LicenseIdentity,
  about: LegalText['about'] = 'model',
): LegalText {
  return { path, about, identity };
}

export function community(path: string, id: string): LegalText {
  return textThatIs(path, { kind: 'community', id, name: `the ${id} license` });
}

export function usePolicy(path = 'USE_POLICY.md'): LegalText {
  return textThatIs(path, { kind: 'unknown' }, 'use');
}

/** An ancestor by its card; `chain` are the models between, nearest first. */
export function ancestor(
  id: string,
  license: LicenseFacts['license'],
  more: {
    readonly chain?: readonly string[];
    readonly texts?: readonly LegalText[];
    readonly gated?: string;
    readonly claims?: Partial<LineageClaims>;
  } = {},
): Ancestor {
  const snapshot = modelSnapshot(license, {
    id,
    requestedId: id,
    ...(more.gated ? { gated: more.gated } : {}),
  });
  const claims = { ...NO_LINEAGE_CLAIMS, ...more.claims };
  return { kind: 'known', chain: [...(more.chain ?? []), id], snapshot, texts: more.texts ?? [], claims };
}

export function missing(id: string, chain: readonly string[] = []): Ancestor {
  return {
    kind: 'missing',
    id,
    chain: [...chain, id],
    why: 'the Hub has no such repository, or does not show it to us',
  };
}

export function hubFile(path: string): HubFile {
  return { path, sizeBytes: 10, gitOid: 'a'.repeat(40) };
}

export function policyFacts(
  license: LicenseFacts['license'],
  more: Partial<PolicyFacts> & { readonly changes?: Partial<ModelSnapshot> } = {},
): PolicyFacts {
  const { changes = {}, ancestors = [], ...rest } = more;
  const baseModels = ancestors.filter(({ chain }) => chain.length === 1).flatMap(({ chain }) => chain);
  const snapshot = modelSnapshot(license, { baseModels, ...changes });
  return {
    snapshot,
    texts: [],
    claims: NO_LINEAGE_CLAIMS,
    ancestors,
    files: [hubFile('model.safetensors')],
    ...rest,
  };
}
