import { VARIANTS } from '../../config/types.ts';
import { holdsWeights } from '../../config/variants.ts';
import { imageLicense } from '../../image/assemble/image-license.ts';
import { licenseOf } from '../../image/image-facts.ts';
import type { PlannedModel } from '../../plan/types.ts';
import type { AncestorLicense, Evidence } from '../../policy/types.ts';
import { type Statement, statementAbout } from '../statement.ts';
import type { ImageSubject } from '../types.ts';

/** The predicate, described in docs/signing.md; keys are only ever added. */
export interface LicenseDecision {
  readonly model: { readonly id: string; readonly revision: string };
  readonly variant: string;
  /** What the image's own label has to say: with weights, the licenses of the model and of what it was made from. */
  readonly image: { readonly license: string | null };
  readonly gated: boolean;
  readonly license: {
    readonly spdx: string | null;
    readonly declared: string | null;
    readonly permitted: boolean;
  };
  readonly decision: {
    readonly build: boolean;
    /** Stable, in kebab case: `license-permitted`, `slim-always`. */
    readonly rule: string;
    readonly reason: string;
    readonly evidence: readonly Evidence[];
  };
  /** SPDX ids in lower case. */
  readonly whitelist: readonly string[];
  /** What the legal texts of the repository were identified as. */
  readonly texts: readonly { readonly path: string; readonly is: string }[];
  /** The files under /licenses, by content: `sha256:…`, or `git:…` for a blob of the repository. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** The models that it was made from, nearest first. */
  readonly lineage: readonly Pick<
    AncestorLicense,
    'id' | 'revision' | 'spdx' | 'declared' | 'isPermissive' | 'chain'
  >[];
}

/** Returns why this variant may be published, or undefined for an image whose plan is not known. */
export function licenseStatement(subject: ImageSubject): Statement | undefined {
  const { planned, descriptor, model } = subject;
  if (planned === undefined) return undefined;
  const decision = licenseDecision(planned, model.variant, expectedLabel(subject, planned));
  return decision && statementAbout(descriptor.digest, 'license', decision);
}

/** Of an image without weights the base image decides, and its label is what there is. */
function expectedLabel({ model, platforms: [image] }: ImageSubject, planned: PlannedModel): string | null {
  const variant = VARIANTS.find(name => name === model.variant);
  if (variant !== undefined && holdsWeights(variant)) return imageLicense(planned, variant, undefined);
  return (image && licenseOf(image)) ?? null;
}

function licenseDecision(
  planned: PlannedModel,
  variant: string,
  license: string | null,
): LicenseDecision | undefined {
  const { outcome, snapshot, model } = planned;
  const decided = Object.entries(outcome.decisions).find(([name]) => name === variant)?.[1];
  const tree = Object.entries(planned.licenses).find(([name]) => name === variant)?.[1];
  if (decided === undefined) return undefined;
  const { spdx, declared, isPermissive } = outcome.license;
  return {
    model: { id: snapshot.id, revision: snapshot.revision },
    variant,
    image: { license },
    gated: outcome.isGated,
    license: { spdx, declared, permitted: isPermissive },
    decision: {
      build: decided.build,
      rule: decided.rule,
      reason: decided.reason,
      evidence: decided.evidence,
    },
    whitelist: model.permissiveWhitelist,
    texts: outcome.texts.map(({ path, is }) => ({ path, is })),
    files: (tree?.entries ?? []).map(({ path, contentId }) => ({ path, content: contentId })),
    lineage: outcome.lineage.map(
      ({ id, revision, spdx: theirs, declared: said, isPermissive: may, chain }) => ({
        id,
        revision,
        spdx: theirs,
        declared: said,
        isPermissive: may,
        chain,
      }),
    ),
  };
}
