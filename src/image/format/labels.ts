import { ADAPTER_NAME } from '../../config/field-checks.ts';
import { isGitOid } from '../../core/digest.ts';
import { isModelId } from '../../core/hub-names.ts';
import { isRecord, parseJson } from '../../core/json-shape.ts';
import type { KvCache } from '../../fit/kv-cache.ts';
import { OciAnnotation } from '../../oci/annotations.ts';
import type { Annotations } from '../../oci/types.ts';

/** What the names of our own labels and annotations begin with. */
export const OWN_PREFIX = 'io.weighbridge.';

/** Every label of an image; they are its manifest's annotations too. */
export const Label = {
  ...OciAnnotation,
  modelId: 'io.weighbridge.model.id',
  modelRevision: 'io.weighbridge.model.revision',
  /** The model's own; `licenses` is of what the image holds. */
  modelLicense: 'io.weighbridge.model.license',
  modelLineage: 'io.weighbridge.model.lineage',
  /** `[[name, id, commit, license], …]` */
  modelAdapters: 'io.weighbridge.model.adapters',
  modelParameters: 'io.weighbridge.model.parameters',
  modelPrecision: 'io.weighbridge.model.precision',
  modelQuantization: 'io.weighbridge.model.quantization',
  modelContext: 'io.weighbridge.model.context-length',
  modelTask: 'io.weighbridge.model.task',
  /** `gated` or `private`, of an image that fetches its model: who starts it needs a token. */
  modelAccess: 'io.weighbridge.model.access',
  modelLanguages: 'io.weighbridge.model.languages',
  modelArchitecture: 'io.weighbridge.model.architecture',
  modelHeads: 'io.weighbridge.model.attention-heads',
  modelKvCache: 'io.weighbridge.model.kv-cache',
  /** Why there is no fat image: the rule that decided, and its reason in words; absent if there may be one. */
  fatRule: 'io.weighbridge.fat.refused',
  fatReason: 'io.weighbridge.fat.reason',
  variant: 'io.weighbridge.variant',
  /** Of an artifact that has no environment to say it. */
  modelDir: 'io.weighbridge.model.dir',
  planDigest: 'io.weighbridge.plan.digest',
} as const;

/** Labels of what config.json says, which the Hub gives only to those with access if the model is gated. */
export const CONFIG_LABELS: ReadonlySet<string> = new Set([
  Label.modelParameters,
  Label.modelPrecision,
  Label.modelQuantization,
  Label.modelContext,
  Label.modelTask,
  Label.modelArchitecture,
  Label.modelHeads,
  Label.modelKvCache,
]);

/** What a layer's descriptor says of it, so that a later publish finds the layer and the files in it again. */
export const LayerAnnotation = {
  /** `weights`, `files`, …; a layer without it is the base image's. */
  kind: 'io.weighbridge.layer.kind',
  key: 'io.weighbridge.layer.key',
  files: 'io.weighbridge.files',
  filePath: 'io.weighbridge.file.path',
  fileSha256: 'io.weighbridge.file.sha256',
  /** Of a part of a divided file: that file's path in the repository, and which of its bytes (`bytes 0-99/1000`). */
  fileSource: 'io.weighbridge.file.source',
  fileRange: 'io.weighbridge.file.range',
  /** ModelPack's name for the path, for tools that know it; https://github.com/modelpack/model-spec */
  modelpackPath: 'org.cncf.model.filepath',
} as const;

/** Of an image's vulnerability scan. */
export const ScanAnnotation = {
  /** What the names of its figures begin with. */
  prefix: 'io.weighbridge.scan.',
  /** Of a view of an image: the layers that were left out of it. */
  leftOut: 'io.weighbridge.view.left-out',
} as const;

/** Labels of other builders that name a license, in the order in which they are believed. */
export const LICENSE_LABELS = [Label.licenses, 'org.label-schema.license', 'license'];

/** The facts that the labels of an image state. */
export interface ImageFacts {
  readonly title: string;
  readonly description: string;
  readonly url: string;
  readonly source: string;
  readonly version?: string | undefined;
  readonly revision: string;
  /** An SPDX expression; null if it is not known. */
  readonly license: string | null;
  readonly base?: { readonly name: string; readonly digest: string } | undefined;
  readonly created: string;
  readonly modelId: string;
  /** The model's own, as an SPDX expression or as the Hub names it; null if none is declared. */
  readonly modelLicense: string | null;
  readonly lineage: readonly LineageEntry[];
  /** What the model is; what is not known is left out. */
  readonly model?: ModelLabels | undefined;
  /** What is served with the model. */
  readonly adapters?: readonly AdapterEntry[];
  /** Why its weights are in no image; undefined if they may be. */
  readonly fatRefusal?: FatRefusalLabels | undefined;
  readonly variant: string;
  /** Of an image that fetches its model; undefined if anyone may. */
  readonly access?: ModelAccess | undefined;
  readonly planDigest: string;
}

/** Whom the Hub gives a model's files to: those who were granted access, or those whom its owner lets in. */
export type ModelAccess = 'gated' | 'private';

/** What labels say of the model in an image. */
export interface ModelLabels {
  readonly parameters?: number | undefined;
  readonly precision?: string | undefined;
  readonly quantization?: string | undefined;
  readonly contextLength?: number | undefined;
  readonly task?: string | undefined;
  /** `en`, `zh` */
  readonly languages?: readonly string[] | undefined;
  /** `Qwen3ForCausalLM` */
  readonly architecture?: string | undefined;
  readonly attentionHeads?: number | undefined;
  readonly kvCache?: KvCache | undefined;
}

/** What labels of a slim image say of a fat one that is not built. */
export interface FatRefusalLabels {
  /** Stable name in kebab case: `gated`, `license-not-permitted`. */
  readonly rule: string;
  /** A sentence for people. */
  readonly reason: string;
}

/** A model that the image's own was made from. */
export interface LineageEntry {
  readonly id: string;
  /** As an SPDX expression or as the Hub names it; null if none is declared. */
  readonly license: string | null;
}

/** A LoRA adapter that is served with the image's model. */
export interface AdapterEntry {
  /** What clients ask for. */
  readonly name: string;
  readonly id: string;
  readonly revision: string;
  /** As an SPDX expression or as the Hub names it; null if none is declared. */
  readonly license: string | null;
}

/** Returns the labels of an image, which are its manifest's annotations too. */
export function writeLabels(facts: ImageFacts): Annotations {
  const { version, license, base, lineage, adapters = [] } = facts;
  return {
    [Label.title]: facts.title,
    [Label.description]: facts.description,
    [Label.url]: facts.url,
    [Label.source]: facts.source,
    ...(version === undefined ? {} : { [Label.version]: version }),
    [Label.revision]: facts.revision,
    ...(license === null ? {} : { [Label.licenses]: license }),
    ...(base === undefined ? {} : { [Label.baseName]: base.name, [Label.baseDigest]: base.digest }),
    [Label.created]: facts.created,
    [Label.modelId]: facts.modelId,
    [Label.modelRevision]: facts.revision,
    ...(facts.modelLicense === null ? {} : { [Label.modelLicense]: facts.modelLicense }),
    ...(lineage.length === 0
      ? {}
      : { [Label.modelLineage]: JSON.stringify(lineage.map(one => [one.id, one.license])) }),
    ...(adapters.length === 0
      ? {}
      : {
          [Label.modelAdapters]: JSON.stringify(
            adapters.map(one => [one.name, one.id, one.revision, one.license]),
          ),
        }),
    ...modelLabels(facts.model),
    ...(facts.access === undefined ? {} : { [Label.modelAccess]: facts.access }),
    ...(facts.fatRefusal === undefined
      ? {}
      : { [Label.fatRule]: facts.fatRefusal.rule, [Label.fatReason]: facts.fatRefusal.reason }),
    [Label.variant]: facts.variant,
    [Label.planDigest]: facts.planDigest,
  };
}

function modelLabels(model: ModelLabels = {}): Annotations {
  const { parameters, precision, quantization, contextLength, task, languages = [], kvCache } = model;
  const entries = Object.entries({
    [Label.modelParameters]: parameters,
    [Label.modelPrecision]: precision,
    [Label.modelQuantization]: quantization,
    [Label.modelContext]: contextLength,
    [Label.modelTask]: task,
    [Label.modelLanguages]: languages.length === 0 ? undefined : languages.join(','),
    [Label.modelArchitecture]: model.architecture,
    [Label.modelHeads]: model.attentionHeads,
    [Label.modelKvCache]: kvCache && writeKvCache(kvCache),
  });
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

/** The facts as an image states them; anybody may have written them. */
export type StatedFacts = {
  readonly [K in Exclude<
    keyof ImageFacts,
    'base' | 'lineage' | 'adapters' | 'license' | 'modelLicense' | 'model' | 'access' | 'fatRefusal'
  >]?: string;
} & {
  /** Empty or absent if it is not known. */
  readonly license?: string;
  readonly modelRevision?: string;
  readonly modelLicense?: string;
  readonly modelDir?: string;
  readonly access?: ModelAccess;
  readonly base?: BaseFacts;
  readonly lineage: readonly LineageEntry[];
  /** None whose name or id could not be one. */
  readonly adapters: readonly AdapterEntry[];
  readonly fatRefusal?: FatRefusalLabels;
};

/** What labels say of the base image. */
export interface BaseFacts {
  readonly name: string;
  readonly digest: string | undefined;
  /** The tag of the base, which for vLLM's own images is the vLLM version. */
  readonly version: string | undefined;
}

/** Returns the facts that the labels of an image, or the annotations of a manifest or index, state. */
export function readLabels(labels: Annotations = {}): StatedFacts {
  const baseName = labels[Label.baseName];
  const version = labels[Label.version];
  const access = labels[Label.modelAccess];
  const rule = labels[Label.fatRule];
  const plain = {
    title: labels[Label.title],
    description: labels[Label.description],
    url: labels[Label.url],
    source: labels[Label.source],
    version,
    revision: labels[Label.revision],
    license: labels[Label.licenses],
    created: labels[Label.created],
    modelId: labels[Label.modelId],
    modelRevision: labels[Label.modelRevision],
    modelLicense: labels[Label.modelLicense],
    variant: labels[Label.variant],
    modelDir: labels[Label.modelDir],
    access: access === 'gated' || access === 'private' ? access : undefined,
    planDigest: labels[Label.planDigest],
    fatRefusal: rule === undefined ? undefined : { rule, reason: labels[Label.fatReason] ?? '' },
    base: baseName === undefined ? undefined : { name: baseName, digest: labels[Label.baseDigest], version },
  };
  const stated = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined));
  return {
    ...stated,
    lineage: readLineage(labels[Label.modelLineage]),
    adapters: readAdapters(labels[Label.modelAdapters]),
  };
}

/** Returns what the labels say the model is. */
export function readModelLabels(labels: Annotations = {}): ModelLabels {
  const count = (name: string): number | undefined => {
    const text = labels[name] ?? '';
    return /^[1-9]\d{0,15}$/.test(text) ? Number(text) : undefined;
  };
  return {
    parameters: count(Label.modelParameters),
    precision: labels[Label.modelPrecision],
    quantization: labels[Label.modelQuantization],
    contextLength: count(Label.modelContext),
    task: labels[Label.modelTask],
    languages: labels[Label.modelLanguages]?.split(',').filter(code => /^[a-z][a-z0-9-]{1,40}$/.test(code)),
    architecture: labels[Label.modelArchitecture],
    attentionHeads: count(Label.modelHeads),
    kvCache: readKvCache(labels[Label.modelKvCache]),
  };
}

/** As JSON, without what is zero: `{"bytesPerToken":28672,"kvHeads":2}`. */
function writeKvCache(cache: KvCache): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(cache).filter(([, value]) => value !== 0 && value !== false)),
  );
}

/** Undefined if the text is not what `writeKvCache` writes. */
function readKvCache(text = ''): KvCache | undefined {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const count = (name: string): number => {
    const number = value[name] ?? 0;
    return Number.isSafeInteger(number) && (number as number) >= 0 ? (number as number) : Number.NaN;
  };
  const counts = {
    bytesPerToken: count('bytesPerToken'),
    windowBytesPerToken: count('windowBytesPerToken'),
    windowTokens: count('windowTokens'),
    kvHeads: count('kvHeads'),
  };
  const isCache = Object.values(counts).every(Number.isFinite) && counts.kvHeads > 0;
  return isCache ? { ...counts, isReplicated: value.isReplicated === true } : undefined;
}

/** Their names are parts of paths, and go into commands that people copy. */
function readAdapters(text = '[]'): AdapterEntry[] {
  return readRows(text).flatMap(([name, id, revision, license]) =>
    typeof name === 'string' &&
    ADAPTER_NAME.test(name) &&
    typeof id === 'string' &&
    isModelId(id) &&
    typeof revision === 'string' &&
    isGitOid(revision)
      ? [{ name, id, revision, license: typeof license === 'string' ? license : null }]
      : [],
  );
}

/** `[["org/base","llama3.1"],…]`, nearest first; empty if the text is not such a list. */
function readLineage(text = '[]'): LineageEntry[] {
  return readRows(text).flatMap(([id, license]) =>
    typeof id === 'string' ? [{ id, license: typeof license === 'string' ? license : null }] : [],
  );
}

/** A list of lists; empty if the text is not one. */
function readRows(text: string): (readonly unknown[])[] {
  try {
    const rows: unknown = parseJson(text);
    return Array.isArray(rows) ? rows.filter(row => Array.isArray(row)) : [];
  } catch {
    return [];
  }
}
