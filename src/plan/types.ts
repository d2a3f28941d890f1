import type { ModelConfig, Variant } from '../config/types.ts';
import type { WeighbridgeError } from '../core/errors.ts';
import type { HubFile, ModelSnapshot } from '../hub/types.ts';
import type { LicenseTree } from '../licenses/types.ts';
import type { PolicyOutcome } from '../policy/types.ts';
import type { Target } from './targets.ts';

/** What would be published and why. Everything after this only carries it out. */
export interface Plan {
  readonly models: readonly (PlannedModel | UnresolvedModel)[];
  readonly warnings: readonly string[];
}

/** A model whose facts are all known. */
export interface PlannedModel {
  readonly kind: 'planned';
  readonly model: ModelConfig;
  readonly snapshot: ModelSnapshot;
  readonly outcome: PolicyOutcome;
  /** The files that the image gets, by path. */
  readonly files: readonly HubFile[];
  readonly targets: readonly Target[];
  /** Tags without repository, by variant; empty for a variant that is not built. */
  readonly tags: Readonly<Record<Variant, readonly string[]>>;
  /** The `/licenses` tree, by variant. */
  readonly licenses: Readonly<Record<Variant, LicenseTree>>;
}

/** A model that could not be asked about; nothing is guessed about it. */
export interface UnresolvedModel {
  readonly kind: 'unresolved';
  readonly model: ModelConfig;
  readonly error: WeighbridgeError;
}
