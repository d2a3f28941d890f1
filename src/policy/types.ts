import type { Variant } from '../config/types.ts';

/** A fact that a decision rests on: where it was read and what it said. */
export interface Evidence {
  /** `cardData.license`, `override_spdx`, `gated`, … */
  readonly field: string;
  readonly value: unknown;
  /** `hub` at the snapshot's revision, or `models.yaml`. */
  readonly source: 'hub' | 'models.yaml' | 'built-in';
}

/** Data, never an exception: a refusal is an outcome like any other. */
export interface PolicyDecision {
  readonly build: boolean;
  /** Stable kebab-case name of the rule that decided: `slim-always`, `license-permitted`, `gated`, … */
  readonly rule: string;
  /** A sentence for people. */
  readonly reason: string;
  readonly evidence: readonly Evidence[];
}

export interface PolicyOutcome {
  /** What the model is taken to be licensed under. */
  readonly license: {
    /** A valid SPDX expression (`LicenseRef-…` for what SPDX has no id for), or null where nothing is known. */
    readonly spdx: string | null;
    /** What the Hub or `override_spdx` said, in words: `apache-2.0`, `other (llama3.1)`. */
    readonly declared: string | null;
    readonly isPermissive: boolean;
  };
  readonly isGated: boolean;
  readonly decisions: Readonly<Record<Variant, PolicyDecision>>;
}
