import { type ModelConfig, VARIANTS, type Variant } from '../../config/types.ts';
import { shownVariants } from '../../config/variants.ts';
import { type ErrorJson, errorToJson } from '../../core/errors.ts';
import type { ModelFacts } from '../../fit/model-facts.ts';
import type { FitReport } from '../../fit/types.ts';
import type { AssembledBase, AssemblyFacts, LayerFacts } from '../../image/assembly-facts.ts';
import { modelDirOf } from '../../plan/model-dir.ts';
import { refusalAt } from '../../plan/targets.ts';
import type { Plan, PlannedModel, PlannedResharding, UnresolvedModel } from '../../plan/types.ts';
import { remoteCode } from '../../policy/file-safety.ts';
import type { AncestorLicense, Evidence, PolicyDecision, PolicyFinding } from '../../policy/types.ts';
import type { Preview } from '../../publish/preview.ts';
import type { ImageOutcome, ReportedModel } from '../../publish/types.ts';
import { type AdapterJson, adaptersJson } from './adapter-json.ts';
import { type ChangeJson, changesJson } from './changes-json.ts';
import { type FileJson, fileJson, type LeftOutJson, leftOutJson } from './file-json.ts';

/** What `plan --json` prints. Keys are only ever added; anything else raises `schemaVersion`. */
export interface PlanJson {
  readonly schemaVersion: 1;
  readonly models: readonly PlanModelJson[];
  readonly warnings?: readonly string[];
}

/** A model that could not be resolved has `error`, nulls for what is not known, and no images or files. */
export interface PlanModelJson extends Partial<AssemblyJson> {
  readonly id: string;
  readonly short: string;
  readonly revision: string | null;
  /** What the model is taken to be licensed under: an SPDX expression, else the words of the Hub. */
  readonly license: string | null;
  readonly licenseDetails: LicenseJson | null;
  readonly gated: boolean | null;
  readonly decisions: DecisionsJson | null;
  readonly images: readonly PlannedImageJson[];
  readonly files: readonly FileJson[];
  /** The repository's files that the images do not get, and why. */
  readonly leftOut?: readonly LeftOutJson[];
  /** What else of models.yaml goes into the images. */
  readonly settings?: SettingsJson;
  /** The way to the decision about the fat image, and the lines of models.yaml that would change it. */
  readonly reasoning?: {
    readonly findings: readonly PolicyFinding[];
    readonly changes: readonly ChangeJson[];
  };
  /** Files that the fat image has in parts, because a registry takes no layer of their size. */
  readonly dividedFiles?: readonly ShardedFileJson[];
  /** What is served with it. */
  readonly adapters?: readonly AdapterJson[];
  /** Python that runs only with `--trust-remote-code`. */
  readonly remoteCode?: readonly string[];
  /** Whether it will run on the vLLM of its base image. */
  readonly fit?: FitReport;
  readonly facts?: ModelFacts;
  readonly error?: ErrorJson;
}

/** What the images will be made of; absent with `--no-registry-state`. */
export interface AssemblyJson {
  /** Absent if the base image could not be read. */
  readonly base?: AssembledBase;
  /** In the order of the image, by variant; a variant that cannot be built has none. */
  readonly layers: Readonly<Partial<Record<Variant, readonly LayerFacts[]>>>;
  /** Why variants cannot be built that the policy lets be: a missing base image, too many layers. */
  readonly refused?: Readonly<Partial<Record<Variant, ErrorJson>>>;
}

/** Settings of a model that its images depend on. */
export interface SettingsJson {
  readonly baseImage: string;
  readonly arch: readonly string[];
  readonly dir: string;
  readonly hfCacheDir: string;
  readonly serveArgs: readonly string[];
  readonly oci: ModelConfig['oci'];
  /** Only if models.yaml sets any. */
  readonly env?: ModelConfig['env'];
  readonly labels?: ModelConfig['labels'];
}

/** The license of a model, as it was read. */
export interface LicenseJson {
  readonly spdx: string | null;
  readonly declared: string | null;
  readonly permissive: boolean;
  readonly name: string | null;
  readonly link: string | null;
  /** What the legal texts of the repository turned out to be. */
  readonly texts: readonly { readonly path: string; readonly is: string }[];
  /** The models that it was made from, nearest first. */
  readonly lineage: readonly AncestorLicense[];
}

/** Always of `slim` and `fat`, of others if the model has them. */
export type DecisionsJson = Readonly<Record<'slim' | 'fat', DecisionJson>> &
  Readonly<Partial<Record<Variant, DecisionJson>>>;

/** Whether a variant is built, and why. */
export interface DecisionJson {
  readonly build: boolean;
  readonly reason: string;
  readonly rule: string;
  readonly evidence: readonly Evidence[];
}

/** An image that a publish would bring to one registry. */
export interface PlannedImageJson {
  readonly registry: string;
  readonly variant: Variant;
  /** Full references: `ghcr.io/acme/hf-x:v0.6.0-fat`. */
  readonly tags: readonly string[];
  /** Where the registry was looked at: what a publish would do there. */
  readonly state?: RegistryStateJson;
}

/** What a registry has of an image already. */
export interface RegistryStateJson {
  readonly status: 'unchanged' | 'changed' | 'unknown';
  /** At most: what can be mounted and what an earlier model of the plan brings do not count. */
  readonly bytesToMove?: number;
  readonly bytesToMount?: number;
  readonly bytesThere?: number;
  /** Why it is not known. */
  readonly error?: ErrorJson;
  /** Immutable tags that name another image, in full: a publish leaves them. */
  readonly refusedTags?: readonly string[];
}

/** A file that is divided, and its parts. */
export interface ShardedFileJson {
  readonly path: string;
  readonly size: number;
  readonly parts: readonly { readonly path: string; readonly size: number }[];
}

/** Returns the document of `plan --json`. `outcomes` are those of a dry run, if registries or base images were read. */
export function planToJson(plan: Plan, outcomes: readonly Preview[] = []): PlanJson {
  const lookedAt = new Map(outcomes.map(outcome => [outcome.planned, outcome]));
  return {
    schemaVersion: 1,
    models: plan.models.map(model =>
      model.kind === 'planned' ? plannedJson(model, lookedAt.get(model)) : unresolvedJson(model),
    ),
    ...(plan.warnings.length === 0 ? {} : { warnings: plan.warnings }),
  };
}

/** Returns the decisions about a model's variants, as `--json` has them. */
export function decisionsJson({ outcome, model }: Pick<ReportedModel, 'outcome' | 'model'>): DecisionsJson {
  const shown = shownVariants(variant => model.variants.includes(variant));
  const entries = shown.map(variant => [variant, decisionJson(outcome.decisions[variant])]);
  return Object.fromEntries(entries) as DecisionsJson;
}

function decisionJson({ build, reason, rule, evidence }: PolicyDecision): DecisionJson {
  return { build, reason, rule, evidence };
}

function plannedJson(planned: PlannedModel, preview: Preview | undefined): PlanModelJson {
  const { model, snapshot, outcome, files, leftOut } = planned;
  const { spdx, declared, isPermissive } = outcome.license;
  const { licenseName, licenseLink } = snapshot.license;
  return {
    id: model.id,
    short: model.short,
    revision: snapshot.revision,
    license: spdx ?? declared,
    licenseDetails: {
      spdx,
      declared,
      permissive: isPermissive,
      name: licenseName,
      link: licenseLink,
      texts: outcome.texts,
      lineage: outcome.lineage,
    },
    gated: outcome.isGated,
    decisions: decisionsJson(planned),
    images: imagesJson(planned, preview),
    files: files.map(fileJson),
    ...(leftOut.length === 0 ? {} : { leftOut: leftOut.map(leftOutJson) }),
    ...(planned.resharding === undefined ? {} : { dividedFiles: shardedJson(planned.resharding) }),
    reasoning: { findings: outcome.findings, changes: changesJson(outcome.remedies) },
    ...adaptersJson(planned),
    ...(remoteCode(files).length === 0 ? {} : { remoteCode: remoteCode(files) }),
    settings: settingsJson(planned),
    fit: planned.fit,
    facts: planned.facts,
    ...(preview?.assembly === undefined ? {} : assemblyJson(preview.assembly)),
  };
}

function assemblyJson({ base, images, refused }: AssemblyFacts): AssemblyJson {
  return {
    ...(base === undefined ? {} : { base }),
    layers: Object.fromEntries(images.map(({ variant, layers }) => [variant, layers])),
    ...(refused.length === 0
      ? {}
      : { refused: Object.fromEntries(refused.map(one => [one.variant, errorToJson(one.error)])) }),
  };
}

function settingsJson(planned: PlannedModel): SettingsJson {
  const { baseImage, arch, hfCacheDir, serveArgs, oci, env, labels } = planned.model;
  return {
    baseImage,
    arch,
    dir: modelDirOf(planned),
    hfCacheDir,
    serveArgs,
    oci,
    ...(Object.keys(env).length === 0 ? {} : { env }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
}

function imagesJson(planned: PlannedModel, looked?: Preview): PlannedImageJson[] {
  const { targets, tags } = planned;
  return targets.flatMap(({ registry, repository }) =>
    VARIANTS.filter(variant => refusalAt(planned, variant, registry) === undefined).map(variant => {
      const image = looked?.images.find(one => one.registry === registry && one.variant === variant);
      const state = image === undefined ? {} : { state: stateJson(image) };
      return { registry, variant, tags: tags[variant].map(tag => `${repository}:${tag}`), ...state };
    }),
  );
}

function stateJson(image: ImageOutcome): RegistryStateJson {
  const refused = image.refusedTags && { refusedTags: image.refusedTags.map(({ reference }) => reference) };
  if (image.status === 'failed') return { status: 'unknown', error: errorToJson(image.error), ...refused };
  const { uploaded, reused, mounted } = image.bytes;
  return {
    status: image.status === 'unchanged' ? 'unchanged' : 'changed',
    bytesToMove: uploaded,
    bytesThere: reused,
    bytesToMount: mounted,
    ...refused,
  };
}

function shardedJson({ files }: PlannedResharding): ShardedFileJson[] {
  return files.map(({ source, parts }) => ({
    path: source.path,
    size: source.sizeBytes,
    parts: parts.map(({ path, sizeBytes }) => ({ path, size: sizeBytes })),
  }));
}

function unresolvedJson({ model, error }: UnresolvedModel): PlanModelJson {
  return {
    id: model.id,
    short: model.short,
    revision: null,
    license: null,
    licenseDetails: null,
    gated: null,
    decisions: null,
    images: [],
    files: [],
    error,
  };
}
