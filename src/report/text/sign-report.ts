import type { SignedSubject } from '../../attest/sign-image.ts';
import { STATEMENT_NAMES } from '../../attest/statement.ts';
import type { ErrorJson } from '../../core/errors.ts';
import { clean, paragraph } from '../layout/text-layout.ts';
import { styleFor } from '../progress/style.ts';
import type { TextOptions } from './plan-table.ts';

/** What became of one image that was to be signed. */
export interface SignedImage {
  /** In full: `ghcr.io/acme/hf-x:v0.6.0-fat`. */
  readonly reference: string;
  readonly subjects: readonly SignedSubject[];
  readonly error?: ErrorJson;
}

/** Returns the document of `sign --json`. */
export function signToJson(images: readonly SignedImage[]) {
  return {
    schemaVersion: 1,
    images: images.map(({ reference, subjects, error }) => ({
      reference,
      status: error === undefined ? 'signed' : 'failed',
      subjects: subjects.map(({ digest, platform, statements }) => ({
        digest,
        platform,
        statements: statements.map(({ kind, predicateType, digest: referrer, status }) => ({
          kind: kind ?? null,
          predicateType,
          referrer,
          status,
        })),
      })),
      ...(error === undefined ? {} : { error }),
    })),
  };
}

/** Returns the text of `sign` for people. No line break at its end. */
export function signTable(
  images: readonly SignedImage[],
  signer: string,
  { columns, isColor }: TextOptions,
): string {
  const style = styleFor(isColor);
  const say = (text: string): string[] => paragraph(clean(text), { columns, indent: 2 });
  return images
    .map(({ reference, subjects, error }) => {
      const title = style.strong(clean(reference));
      if (error !== undefined) {
        const remedy = error.remedy === undefined ? [] : say(error.remedy);
        return [title, ...say(`not signed: ${error.message}`).map(style.bad), ...remedy].join('\n');
      }
      const lines = subjects.flatMap(({ digest, platform, statements }) => [
        ...say(`${platform} ${digest}`).map(style.quiet),
        ...statements.flatMap(({ kind, predicateType, status }) =>
          say(
            `  ${status === 'signed' ? 'signed   ' : 'unchanged'}  ${kind ? STATEMENT_NAMES[kind] : predicateType}`,
          ),
        ),
      ]);
      return [title, ...lines, ...say(`✓ Signed with ${signer}.`).map(style.good)].join('\n');
    })
    .join('\n\n');
}
