/** A checked `models.yaml`, defaults applied. */
export interface Config {
  /** The file as the user named it. */
  readonly file: string;
  /** Registry key to repository prefix, as written in `registries:`; empty where that is absent. */
  readonly registries: Readonly<Record<string, string>>;
  /** Whether `registries:` was written at all. */
  readonly hasRegistries: boolean;
  /** The most bytes that a registry takes in one layer, by its key; only what was written. */
  readonly layerLimits: Readonly<Record<string, number>>;
  readonly models: readonly ModelConfig[];
  readonly scan: ScanConfig;
}

/** What `weighbridge scan` reports, and what it fails for. */
export interface ScanConfig {
  /** Findings below these are counted and not reported one by one. */
  readonly severity: readonly Severity[];
  /** Findings that make the scan fail; none by default. */
  readonly failOn: readonly Severity[];
  /** Trivy's ignore file as written: relative to the folder of models.yaml. Null where there is none. */
  readonly ignoreFile: string | null;
}

export type Severity = 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW' | 'UNKNOWN';
/** The worst first. */
export const SEVERITIES: readonly Severity[] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN'];

export interface ModelConfig {
  /** Hub repository, `org/name` (or a bare legacy `name`). */
  readonly id: string;
  readonly short: string;
  /** As written: a commit, branch or tag; null means the default branch. */
  readonly revision: string | null;
  readonly permissive: 'auto' | boolean;
  readonly overrideSpdx: string | null;
  readonly gated: 'auto' | boolean;
  /** What the licences of the models that this one was made from decide. */
  readonly lineage: 'enforce' | 'warn' | 'off';
  readonly serveArgs: readonly string[];
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
  /** Null where the built-in choice applies. */
  readonly files: {
    readonly include: readonly string[] | null;
    readonly exclude: readonly string[] | null;
    /** Whether a fat image may hold pickles, which can run code when they are loaded. */
    readonly allowPickle: boolean;
  };
  /** Tag templates with `{version}`, `{variant}`, `{revision}`. */
  readonly tags: readonly string[];
  /** Where the entry starts in the file. */
  readonly position: { readonly line: number; readonly column: number };
}

export type Variant = 'slim' | 'fat';
export const VARIANTS: readonly Variant[] = ['slim', 'fat'];
