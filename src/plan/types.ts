import type { AdapterConfig, ModelConfig, Variant } from '../config/types.ts';
import type { Digest } from '../core/digest.ts';
import type { ErrorJson } from '../core/errors.ts';
import type { ModelFacts } from '../fit/model-facts.ts';
import type { FitReport } from '../fit/types.ts';
import type { HubFile, ModelSnapshot } from '../hub/types.ts';
import type { PartSource } from '../layer/recipe.ts';
import type { LicenseTree } from '../licenses/types.ts';
import type { PolicyDecision, PolicyOutcome } from '../policy/types.ts';
import type { LeftOutFile } from './choose-files.ts';

/** Raised whenever a plan of an older form would be read wrongly. */
export const PLAN_SCHEMA_VERSION = 1;

/**
 * What would be published and why; everything after this only carries it out. It is made of JSON values alone, so that
 * one process plans and another one publishes (`plan --out`, `publish --plan`).
 */
export interface Plan {
  readonly schemaVersion: typeof PLAN_SCHEMA_VERSION;
  readonly models: readonly (PlannedModel | UnresolvedModel)[];
  readonly warnings: readonly string[];
}

/** Returns the models of a plan that could be resolved. */
export function plannedModels({ models }: Pick<Plan, 'models'>): PlannedModel[] {
  return models.filter(model => model.kind === 'planned');
}

/** A model whose facts are all known. */
export interface PlannedModel {
  readonly kind: 'planned';
  readonly model: ModelConfig;
  readonly snapshot: ModelSnapshot;
  readonly outcome: PolicyOutcome;
  /** The files that the image gets, by path. */
  readonly files: readonly HubFile[];
  /** The files that it does not get, and why. */
  readonly leftOut: readonly LeftOutFile[];
  /** Whether it will run on the vLLM of its base image. */
  readonly fit: FitReport;
  /** What people choose it by. */
  readonly facts: ModelFacts;
  /** What is served with it; absent if it has none. */
  readonly adapters?: readonly PlannedAdapter[];
  readonly targets: readonly Target[];
  /** Other entries that have the same model in the same folder, by short; absent if there are none. */
  readonly sharing?: readonly string[];
  /** What the lock pins it to. */
  readonly pin?: ModelPin;
  /** What the fat image's layers keep to; absent if no registry that gets it has a limit. */
  readonly layerLimit?: LayerLimit;
  /** What registries take, if `layer_target` asks for less; absent if no registry that gets it has a limit. */
  readonly registryLimit?: LayerLimit;
  /** Files that the fat image has in parts, because a registry would not take them whole. */
  readonly resharding?: PlannedResharding;
  /** Registries that do not get the fat image, though others do. */
  readonly fatRefusals?: readonly FatRefusal[];
  /** Tags without repository, by variant; empty for a variant that is not built. */
  readonly tags: Readonly<Record<Variant, readonly string[]>>;
  /** The `/licenses` tree, by variant. */
  readonly licenses: Readonly<Record<Variant, LicenseTree>>;
}

/** A commit and a base image that a model is published from, whatever its branch and tag name now. */
export interface ModelPin {
  readonly revision: string;
  /** Of what the base image's tag named: an index or a manifest. */
  readonly baseDigest?: Digest;
  /** Commits of its adapters, by name. */
  readonly adapters?: Readonly<Record<string, string>>;
}

/** A LoRA adapter whose facts are all known. */
export interface PlannedAdapter {
  readonly adapter: AdapterConfig;
  readonly snapshot: ModelSnapshot;
  /** The files that the image gets, by path. */
  readonly files: readonly HubFile[];
  readonly leftOut: readonly LeftOutFile[];
  /** As if it were a model; `decisions.fat` is about an image that has it. */
  readonly outcome: PolicyOutcome;
  /** The largest of its matrices' ranks; null if its configuration may not be read. */
  readonly rank: number | null;
}

/** What a fat image has in place of files that are larger than a layer may be. */
export interface Resharding {
  readonly files: readonly ShardedFile[];
  /** Indexes of tensors (`model.safetensors.index.json`) that name the parts, in place of the repository's own. */
  readonly indexes: readonly RewrittenIndex[];
}

/** A division as JSON values: headers as base64. */
export interface PlannedResharding {
  readonly files: readonly {
    readonly source: Packed<PartSource>;
    readonly parts: readonly Packed<ShardSlice>[];
  }[];
  readonly indexes: readonly RewrittenIndex[];
}

type Packed<T> = Omit<T, 'header'> & { readonly header: string };

/** A file that a registry would not take, and that cannot be divided so that it would. */
export interface FatRefusal {
  /** The key in `registries`. */
  readonly registry: string;
  readonly decision: PolicyDecision;
  readonly path: string;
  readonly limit: LayerLimit;
}

/** The most bytes that a registry takes in one layer. */
export interface LayerLimit {
  /** As in references: `ghcr.io`. */
  readonly registry: string;
  readonly maxLayerBytes: number;
  readonly source: 'models.yaml' | 'built-in' | 'layer_target';
}

/** A safetensors file as files of its own, each with some of its tensors, in the order of its data. */
export interface ShardedFile {
  readonly source: PartSource;
  readonly parts: readonly ShardSlice[];
}

/** A part of a file that is divided. */
export interface ShardSlice {
  /** As paths in the repository are. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly header: Uint8Array;
  /** Of the source: first byte, and first byte that is not of the part. */
  readonly start: number;
  readonly end: number;
}

/** An index of weights that names the parts of divided files. */
export interface RewrittenIndex {
  readonly path: string;
  readonly text: string;
}

/** A model that could not be asked about; nothing is guessed about it. */
export interface UnresolvedModel {
  readonly kind: 'unresolved';
  readonly model: ModelConfig;
  readonly error: ErrorJson;
}

/** Where a model's images go: one repository of one registry. */
export interface Target {
  /** The key in `registries`. */
  readonly registry: string;
  /** `ghcr.io/acme/hf-x`. */
  readonly repository: string;
}
