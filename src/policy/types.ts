import type { Variant } from '../config/types.ts';

/** A fact that a decision rests on: where it was read and what it said. */
export interface Evidence {
  /** `cardData.license`, `override_spdx`, `gated`, `LICENSE`, … */
  readonly field: string;
  readonly value: unknown;
  /** `hub` at the snapshot's revision, or `models.yaml`. */
  readonly source: 'hub' | 'models.yaml' | 'built-in';
  /** The commit it was read at, if it is not the planned model's own. */
  readonly revision?: string;
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

/** The rule of a variant that `variants` does not list, which says nothing of the model. */
export const NOT_CHOSEN = 'not-chosen';

/** One step on the way to the decision about the fat image, in the order they are taken. */
export interface PolicyFinding {
  /** What was looked at, for people: `gate`, `license`, `LICENSE`, `lineage`, … */
  readonly check: string;
  /** What was found, as a sentence. */
  readonly says: string;
  /** Where the facts are from: `the Hub, gated`, `models.yaml, permissive`. */
  readonly from: string;
  /** Whether it lets the weights pass; a note decides nothing. */
  readonly verdict: 'pass' | 'stop' | 'note';
}

/** What the policy has decided about a model, and why. */
export interface PolicyOutcome {
  /** What the model is taken to be licensed under. */
  readonly license: {
    /** A valid SPDX expression (`LicenseRef-…` for what SPDX has no id for), or null if nothing is known. */
    readonly spdx: string | null;
    /** What the Hub or `override_spdx` said, in words: `apache-2.0`, `other (llama3.1)`. */
    readonly declared: string | null;
    readonly isPermissive: boolean;
  };
  readonly isGated: boolean;
  /** What the legal texts of its repository turned out to be, in words. */
  readonly texts: readonly { readonly path: string; readonly is: string }[];
  /** What the models that it was made from are under, nearest first. */
  readonly lineage: readonly AncestorLicense[];
  readonly decisions: Readonly<Record<Variant, PolicyDecision>>;
  /** The whole chain of reasoning about the fat image. */
  readonly findings: readonly PolicyFinding[];
  /** Lines of `models.yaml` that would change it, with what they would mean; none if nothing can. */
  readonly remedies: readonly Remedy[];
}

/** The license of a model that another was made from. */
export interface AncestorLicense {
  readonly id: string;
  /** Null if it could not be asked about; so are the others then. */
  readonly revision: string | null;
  readonly spdx: string | null;
  readonly declared: string | null;
  readonly isPermissive: boolean;
  /** Ids that lead to it from the planned model's own base on, itself last. */
  readonly chain: readonly string[];
}

/** A line of models.yaml that would change a decision, and what it would mean. */
export interface Remedy {
  /** `permissive: true` */
  readonly setting: string;
  readonly effect: string;
}
