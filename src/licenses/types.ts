import type { Variant } from '../config/types.ts';

/** The part of a policy outcome that licences are about. */
export interface LicenseOutcome {
  readonly license: { readonly spdx: string | null; readonly declared: string | null };
  readonly isGated: boolean;
}

export interface LicenseContext {
  readonly variant: Variant;
  readonly baseImage: { readonly reference: string; readonly digest?: string | undefined };
  /** Where the model is or comes to be in the image: `/models/x`. */
  readonly modelDir: string;
  /** Where people find the model: `https://huggingface.co/acme/x`. */
  readonly sourceUrl: string;
}

/** How the text at `licenses/model/LICENSE` was come by. */
export type LicenseTextOrigin =
  | { readonly kind: 'upstream'; readonly file: string }
  | { readonly kind: 'spdx'; readonly ids: readonly string[] }
  | { readonly kind: 'none' };
