import path from 'node:path';
import { formatPlatform, parsePlatform, parseReference } from '../oci/reference.ts';
import { parseByteSize } from './field-checks.ts';
import type { ConfigFile } from './schema.ts';
import { templatesFor } from './tag-templates.ts';
import {
  type Config,
  type ModelConfig,
  type RegistryConnection,
  type SigningConfig,
  VARIANTS,
} from './types.ts';
import { byVariant } from './variants.ts';
import type { Path, YamlSource } from './yaml/yaml-source.ts';

/** The models of one file. */
export interface ModelsPart {
  readonly models: NonNullable<ConfigFile['models']>;
  readonly source: YamlSource;
}

/** Returns the files' content as the rest of the program wants it: each model with all that applies to it. */
export function toConfig(
  data: ConfigFile,
  main: YamlSource,
  parts: readonly ModelsPart[],
): Omit<Config, 'digest' | 'included'> {
  const registries = Object.entries(data.registries ?? {}).map(
    ([key, entry]) => [key, typeof entry === 'string' ? { prefix: entry } : entry] as const,
  );
  const { file } = main;
  const { defaults } = data;
  // Every model has the same list: what is made of it is made once.
  const permissiveWhitelist = defaults.spdx_permissive_whitelist.map(id => id.toLowerCase());
  const shared = { ...defaults, spdx_permissive_whitelist: permissiveWhitelist };
  return {
    file,
    registries: Object.fromEntries(
      registries.map(([key, { prefix }]) => [key, withoutTrailingSlash(prefix)]),
    ),
    connections: registries.flatMap(([, entry]) => connectionOf(entry, file)),
    hasRegistries: data.registries !== undefined,
    layerLimits: Object.fromEntries(
      Object.entries(data.layer_limits).map(([key, size]) => [key, bytesOf(size)]),
    ),
    scan: {
      severity: data.scan.severity,
      failOn: data.scan.fail_on,
      ignoreFile: data.scan.ignore_file,
    },
    signing: toSigning(data.signing),
    vex: data.vex.map(entry => ({
      vulnerability: entry.vulnerability,
      status: entry.status,
      date: entry.date.includes('T') ? entry.date : `${entry.date}T00:00:00Z`,
      justification: entry.justification ?? null,
      impact: entry.impact ?? null,
      action: entry.action ?? null,
      models: entry.models ?? null,
      packages: entry.packages ?? [],
    })),
    retention: {
      keep: data.retention.keep,
      youngerThanDays:
        data.retention.younger_than === null ? null : Number.parseInt(data.retention.younger_than, 10),
    },
    models: parts.flatMap(({ models, source }) =>
      models.map((model, index) => ({
        ...toModel(model, shared, source, index, main),
        ...(data.signing.model_signature_file && { signatureFile: true as const }),
      })),
    ),
  };
}

function connectionOf(
  {
    prefix,
    plain_http: isPlainHttp = false,
    ca,
  }: { prefix: string; plain_http?: boolean; ca?: string | undefined },
  file: string,
): RegistryConnection[] {
  if (!isPlainHttp && ca === undefined) return [];
  const { registry } = parseReference(`${withoutTrailingSlash(prefix)}/x`);
  return [{ registry, isPlainHttp, caFile: ca === undefined ? null : path.resolve(path.dirname(file), ca) }];
}

function toModel(
  model: ModelsPart['models'][number],
  defaults: ConfigFile['defaults'],
  source: YamlSource,
  index: number,
  main: YamlSource,
): ModelConfig {
  return {
    id: model.id,
    short: model.short,
    folder: model.folder ?? model.short,
    revision: model.revision,
    permissive: model.permissive,
    overrideSpdx: model.override_spdx,
    gated: model.gated,
    lineage: defaults.lineage,
    fit: model.fit ?? defaults.fit,
    serveArgs: model.serve_args.map((arg, item) =>
      // An unquoted number is taken as it is written: 0.90 stays 0.90.
      typeof arg === 'string' ? arg : source.textAt(['models', index, 'serve_args', item]),
    ),
    adapters: model.adapters.map(({ id, name, revision, permissive, override_spdx: overrideSpdx }) => ({
      id,
      name,
      revision,
      permissive,
      overrideSpdx,
    })),
    oci: {
      title: model.oci.title ?? `vLLM + ${model.id.slice(model.id.lastIndexOf('/') + 1)}`,
      description: model.oci.description,
      url: model.oci.url ?? `https://huggingface.co/${model.id}`,
    },
    publish: overlaid(defaults.publish, model.publish),
    baseImage: model.base_image ?? defaults.base_image,
    arch: platforms(model.arch ?? defaults.arch),
    downloadRoot: withoutTrailingSlash(model.download_root ?? defaults.download_root),
    hfCacheDir: withoutTrailingSlash(defaults.hf_cache_dir),
    permissiveWhitelist: defaults.spdx_permissive_whitelist,
    files: {
      include: model.files.include ?? defaults.files.include ?? null,
      exclude: model.files.exclude ?? defaults.files.exclude ?? null,
      allowPickle: model.files.allow_pickle ?? defaults.files.allow_pickle ?? false,
    },
    variants: VARIANTS.filter(variant => (model.variants ?? defaults.variants).includes(variant)),
    modelpack: model.modelpack ?? defaults.modelpack,
    layerOrder: model.layer_order ?? defaults.layer_order,
    layerTargetBytes: layerTarget(model.layer_target ?? defaults.layer_target),
    tags: byVariant(variant => templatesFor(variant, model.tags, defaults.tags)),
    env: {
      ...settings('env', defaults, main, ['defaults']),
      ...settings('env', model, source, ['models', index]),
    },
    labels: {
      ...settings('labels', defaults, main, ['defaults']),
      ...settings('labels', model, source, ['models', index]),
    },
    position: { file: source.file, ...source.position(['models', index]) },
  };
}

/** The map of one entry, each value as it is written: 0.90 stays 0.90. */
function settings(
  key: 'env' | 'labels',
  entry: ConfigFile['defaults'] | ModelsPart['models'][number],
  source: YamlSource,
  path: Path,
): Record<string, string> {
  const values: Readonly<Record<string, unknown>> = entry[key];
  return Object.fromEntries(
    Object.entries(values).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : source.textAt([...path, key, name]),
    ]),
  );
}

function toSigning({
  mode,
  key,
  keyless,
  github_attestations,
  model_signature_file,
  upstream,
}: ConfigFile['signing']): SigningConfig {
  const services = keyless === true ? {} : keyless || null;
  const { identity: own, issuer: ownIssuer, trusted_root: ownRoot } = services ?? {};
  const isTrusted = own !== undefined && ownIssuer !== undefined && ownRoot !== undefined;
  return {
    mode,
    key: key ?? null,
    githubAttestations: github_attestations,
    hasModelSignatureFile: model_signature_file,
    keyless: services && {
      fulcio: services.fulcio ?? null,
      rekor: services.rekor ?? null,
      timestampAuthority: services.timestamp_authority ?? null,
      trust: isTrusted ? { identity: own, issuer: ownIssuer, trustedRoot: ownRoot } : null,
    },
    upstream: upstream.map(({ models, key: trusted, identity, issuer, trusted_root, require }) => ({
      models,
      // That there is one or the other has been checked.
      signer:
        trusted === undefined
          ? {
              kind: 'identity',
              identity: identity ?? '',
              issuer: issuer ?? '',
              trustedRoot: trusted_root ?? null,
            }
          : { kind: 'key', key: trusted },
      isRequired: require,
    })),
  };
}

type Publish = ConfigFile['defaults']['publish'];

function overlaid(defaults: Publish, own: Publish): Record<string, boolean> {
  const entries = Object.entries({ ...defaults, ...own });
  return Object.fromEntries(entries.filter((entry): entry is [string, boolean] => entry[1] !== undefined));
}

/** In one spelling each: `linux/x86_64` is `linux/amd64`. */
function platforms(arch: string | readonly string[]): string[] {
  const names = typeof arch === 'string' ? [arch] : arch;
  return [...new Set(names.map(name => formatPlatform(parsePlatform(name))))];
}

function bytesOf(size: number | string): number {
  return typeof size === 'number' ? size : (parseByteSize(size) ?? 0);
}

function layerTarget(size: number | string | undefined): number | null {
  return size === undefined ? null : bytesOf(size);
}

function withoutTrailingSlash(text: string): string {
  return text.replace(/\/+$/, '');
}
