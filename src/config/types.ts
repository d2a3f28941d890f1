import type { Digest } from '../core/digest.ts';

/** A checked `models.yaml`, defaults applied. */
export interface Config {
  /** The file as the user named it. */
  readonly file: string;
  /** Files that it includes, named in the same way. */
  readonly included: readonly string[];
  /** Of the text of all of these files: another text is another plan. */
  readonly digest: Digest;
  /** Registry key to repository prefix, as written in `registries:`; empty if that is absent. */
  readonly registries: Readonly<Record<string, string>>;
  /** How to speak to the registries that were written as maps. */
  readonly connections: readonly RegistryConnection[];
  /** Whether `registries:` was written at all. */
  readonly hasRegistries: boolean;
  /** The most bytes that a registry takes in one layer, by its key; only what was written. */
  readonly layerLimits: Readonly<Record<string, number>>;
  readonly models: readonly ModelConfig[];
  readonly scan: ScanConfig;
  readonly signing: SigningConfig;
  readonly vex: readonly VexEntry[];
  readonly retention: RetentionConfig;
}

/** How a registry is spoken to, if not as usual. */
export interface RegistryConnection {
  /** As in references: `registry.lan:5000`. */
  readonly registry: string;
  readonly isPlainHttp: boolean;
  /** A file, from the folder that the command runs in. */
  readonly caFile: string | null;
}

/** How images are signed. Paths are as written: relative to the folder of models.yaml. */
export interface SigningConfig {
  /** `required`: a tag never names an image that is not signed. */
  readonly mode: 'off' | 'sign' | 'required';
  /** A file, or `env://NAME`. */
  readonly key: string | null;
  readonly keyless: KeylessConfig | null;
  /** Whether statements about images on GHCR go to GitHub's attestation store as well. */
  readonly githubAttestations: boolean;
  /** Whether images have their model signature as a file as well. */
  readonly hasModelSignatureFile: boolean;
  readonly upstream: readonly UpstreamTrust[];
}

/** What a file without `signing:` says. */
export const NO_SIGNING: SigningConfig = {
  mode: 'off',
  key: null,
  keyless: null,
  githubAttestations: false,
  hasModelSignatureFile: false,
  upstream: [],
};

/** Sigstore's services; null takes the public ones. */
export interface KeylessConfig {
  readonly fulcio: string | null;
  readonly rekor: string | null;
  readonly timestampAuthority: string | null;
  /** Who signs, as the certificates of this job say it, and what vouches for them; null if that is not written. */
  readonly trust: {
    readonly identity: string;
    readonly issuer: string;
    readonly trustedRoot: string;
  } | null;
}

/** Whose signature a model's `model.sig` has to be. */
export interface UpstreamTrust {
  /** Patterns of ids. */
  readonly models: readonly string[];
  readonly signer:
    | { readonly kind: 'key'; readonly key: string }
    | {
        readonly kind: 'identity';
        readonly identity: string;
        readonly issuer: string;
        readonly trustedRoot: string | null;
      };
  readonly isRequired: boolean;
}

/** The statuses that OpenVEX has. */
export const VEX_STATUSES = ['not_affected', 'affected', 'fixed', 'under_investigation'] as const;
/** https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md#status-justifications */
export const VEX_JUSTIFICATIONS = [
  'component_not_present',
  'vulnerable_code_not_present',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'inline_mitigations_already_exist',
] as const;

/** What is known of one vulnerability. */
export interface VexEntry {
  readonly vulnerability: string;
  readonly status: (typeof VEX_STATUSES)[number];
  /** ISO 8601, with a time. */
  readonly date: string;
  readonly justification: (typeof VEX_JUSTIFICATIONS)[number] | null;
  readonly impact: string | null;
  readonly action: string | null;
  /** Shorts or ids; null for all models. */
  readonly models: readonly string[] | null;
  /** Package URLs; empty for all packages. */
  readonly packages: readonly string[];
}

/** What `weighbridge prune` leaves. */
export interface RetentionConfig {
  /** The newest images of each variant, at least 1. */
  readonly keep: number;
  /** Days; null if age does not matter. */
  readonly youngerThanDays: number | null;
}

/** What `weighbridge scan` reports, and what it fails for. */
export interface ScanConfig {
  /** Findings below these are counted and not reported one by one. */
  readonly severity: readonly Severity[];
  /** Findings that make the scan fail; none by default. */
  readonly failOn: readonly Severity[];
  /** Trivy's ignore file as written: relative to the folder of models.yaml. Null if there is none. */
  readonly ignoreFile: string | null;
}

/** The severities that scanners report. */
export type Severity = 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW' | 'UNKNOWN';
/** The worst first. */
export const SEVERITIES: readonly Severity[] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN'];

/** One entry of `models`, with the defaults applied. */
export interface ModelConfig {
  /** Hub repository, `org/name` (or a bare legacy `name`). */
  readonly id: string;
  readonly short: string;
  /** Name of the folder below `downloadRoot` that holds the model. */
  readonly folder: string;
  /** As written: a commit, branch or tag; null means the default branch. */
  readonly revision: string | null;
  readonly permissive: 'auto' | boolean;
  readonly overrideSpdx: string | null;
  readonly gated: 'auto' | boolean;
  /** What the licenses of the models that this one was made from decide. */
  readonly lineage: 'enforce' | 'warn' | 'off';
  /** What findings about whether the model runs on its base image do. */
  readonly fit: 'warn' | 'enforce' | 'off';
  readonly serveArgs: readonly string[];
  readonly adapters: readonly AdapterConfig[];
  readonly oci: { readonly title: string; readonly description: string; readonly url: string };
  /** `defaults.publish` overlaid with the model's own; only what was written. */
  readonly publish: Readonly<Record<string, boolean>>;
  readonly baseImage: string;
  /** Platforms, `os/arch[/variant]`, at least one. */
  readonly arch: readonly string[];
  /** Absolute, without a trailing slash. */
  readonly downloadRoot: string;
  readonly hfCacheDir: string;
  /** SPDX ids, lower case, as in `spdx_permissive_whitelist`. */
  readonly permissiveWhitelist: readonly string[];
  /** Null if the built-in choice applies. */
  readonly files: {
    readonly include: readonly string[] | null;
    readonly exclude: readonly string[] | null;
    /** Whether a fat image may hold pickles, which can run code when they are loaded. */
    readonly allowPickle: boolean;
  };
  /** What is published of the model, in the order of `VARIANTS`; at least one. */
  readonly variants: readonly Variant[];
  /** The form of the files in a ModelPack artifact. */
  readonly modelpack: ModelPackForm;
  /** Whether the model's layers are above its base image or below it. */
  readonly layerOrder: LayerOrder;
  /** The size that safetensors files are divided to although a registry would take them whole; null if they are not. */
  readonly layerTargetBytes: number | null;
  /** Whether its images have their model signature as a file as well. */
  readonly signatureFile?: true;
  /** Tag templates with `{version}`, `{variant}`, `{revision}`, `{revision8}`. */
  readonly tags: Readonly<Record<Variant, readonly string[]>>;
  /** Variables that images set besides their own. */
  readonly env: Readonly<Record<string, string>>;
  /** Labels that images have besides their own, or in place of `org.opencontainers.image.source`. */
  readonly labels: Readonly<Record<string, string>>;
  /** Where the entry starts: the file as in errors, line and column from 1. */
  readonly position: { readonly file: string; readonly line: number; readonly column: number };
}

/** A LoRA adapter that is served with a model. */
export interface AdapterConfig {
  /** Hub repository. */
  readonly id: string;
  /** What clients ask for; also a path component. */
  readonly name: string;
  readonly revision: string | null;
  readonly permissive: 'auto' | boolean;
  readonly overrideSpdx: string | null;
}

/**
 * A kind of image: `slim` downloads the weights when it starts, `fat` has them, `weights` is them alone, `modelpack`
 * is an artifact of them.
 */
export type Variant = 'slim' | 'fat' | 'weights' | 'modelpack';
/** All variants, in the order of plans and reports. */
export const VARIANTS: readonly Variant[] = ['slim', 'fat', 'weights', 'modelpack'];

/** `raw`: each file is a blob as it is. `tar`: the fat image's layers. */
export type ModelPackForm = 'raw' | 'tar';
/** The values of `modelpack.layers`. */
export const MODELPACK_FORMS: readonly ModelPackForm[] = ['raw', 'tar'];

/** `auto` puts a model below its base image if it is the larger of the two. */
export type LayerOrder = 'auto' | 'base-first' | 'weights-first';
/** The values of `layer_order`. */
export const LAYER_ORDERS: readonly LayerOrder[] = ['auto', 'base-first', 'weights-first'];
