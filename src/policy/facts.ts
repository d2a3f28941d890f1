import type { HubFile, ModelSnapshot } from '../hub/types.ts';
import type { LicenseIdentity } from '../spdx/identify-license.ts';
import type { FamilyMark } from './families.ts';

/** Everything that a decision about a model rests on, beside its entry in `models.yaml`. */
export interface PolicyFacts {
  readonly snapshot: ModelSnapshot;
  /** The legal texts of its repository. */
  readonly texts: readonly LegalText[];
  /** What its files say of what it was made from. */
  readonly claims: LineageClaims;
  /** The models that it was made from, and those that these were made from, nearest first. */
  readonly ancestors: readonly Ancestor[];
  /** The files that a fat image would hold. */
  readonly files: readonly HubFile[];
}

/** A legal text of a repository, and what it turned out to be. */
export interface LegalText {
  /** In the repository: `LICENSE.md`. */
  readonly path: string;
  readonly about: TextSubject;
  readonly identity: TextIdentity;
}

/** What a text of a repository is about. */
export type TextSubject =
  /** The terms of the model. */
  | 'model'
  /** What the model may be used for. */
  | 'use'
  /** Whose it is, and disclaimers of liability. */
  | 'statement'
  | 'notice'
  /** Not called like a legal text: it counts by what it is. */
  | 'text'
  /** What the model card says in words. */
  | 'card'
  /** What `license_link` or `license_name` of the card leads to. */
  | 'link'
  /** Something else than the model, such as code. */
  | 'part';

/** Which license a text is, or why that is not known. */
export type TextIdentity =
  | LicenseIdentity
  /** It was not read, for a reason in words. `isHidden`: the Hub does not show it, so it cannot be told to be odd. */
  | { readonly kind: 'unread'; readonly why: string; readonly isHidden: boolean };

/** What the files of a repository say of what the model was made from. */
export interface LineageClaims {
  /** Beside those of the card and the tags. */
  readonly bases: readonly BaseClaim[];
  /** What names a base that cannot be looked up, such as a folder of its author. */
  readonly unreadable: readonly { readonly field: string; readonly value: string }[];
  /** The family that its shape or its name tells of, if only one has them and its license is not permissive. */
  readonly family: FamilyMark | undefined;
}

/** What a repository says that its model was made from. */
export interface BaseClaim {
  readonly id: string;
  /** `adapter_config.json, base_model_name_or_path` */
  readonly field: string;
  /** Whether it counts only if there is such a model: it may be a folder, or a data set. */
  readonly isHint: boolean;
}

/** A model that another one was made from. `chain` leads to it: ids, from the child of the planned model on, itself last. */
export type Ancestor =
  | {
      readonly kind: 'known';
      readonly chain: readonly string[];
      readonly snapshot: ModelSnapshot;
      readonly texts: readonly LegalText[];
      readonly claims: LineageClaims;
    }
  | {
      readonly kind: 'missing';
      readonly chain: readonly string[];
      readonly id: string;
      readonly why: string;
      /** A claim that counts only if there is such a model, and there is not. */
      readonly isHint?: boolean;
    };

/** The claims of a repository whose files say nothing of its origin. */
export const NO_LINEAGE_CLAIMS: LineageClaims = { bases: [], unreadable: [], family: undefined };
