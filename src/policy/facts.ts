import type { HubFile, ModelSnapshot } from '../hub/types.ts';
import type { LicenseIdentity } from '../spdx/identify-license.ts';

/** Everything that a decision about a model rests on, beside its entry in `models.yaml`. */
export interface PolicyFacts {
  readonly snapshot: ModelSnapshot;
  /** The legal texts of its repository. */
  readonly texts: readonly LegalText[];
  /** The models that it was made from, and those that these were made from, nearest first. */
  readonly ancestors: readonly Ancestor[];
  /** The files that a fat image would hold. */
  readonly files: readonly HubFile[];
}

export interface LegalText {
  /** In the repository: `LICENSE.md`. */
  readonly path: string;
  /** `use` restricts what the model may be used for; `part` is about something else than the model, such as code. */
  readonly about: 'model' | 'use' | 'part' | 'notice';
  readonly identity: TextIdentity;
}

export type TextIdentity =
  | LicenseIdentity
  /** It was not read, for a reason in words. `isHidden`: the Hub does not show it, so nobody can say that it is odd. */
  | { readonly kind: 'unread'; readonly why: string; readonly isHidden: boolean };

/** A model that another one was made from. `chain` leads to it: ids, from the child of the planned model on, itself last. */
export type Ancestor =
  | {
      readonly kind: 'known';
      readonly chain: readonly string[];
      readonly snapshot: ModelSnapshot;
      readonly texts: readonly LegalText[];
    }
  | {
      readonly kind: 'missing';
      readonly chain: readonly string[];
      readonly id: string;
      readonly why: string;
    };
