import { createHash } from 'node:crypto';
import type { VexEntry } from '../../config/types.ts';
import { imageDigestUrl } from '../package-url.ts';
import { type Statement, statementAbout } from '../statement.ts';
import type { ImageSubject } from '../types.ts';

/** https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md */
const CONTEXT = 'https://openvex.dev/ns/v0.2.0';

/**
 * Returns what `vex:` in models.yaml says of the image, or undefined if it says nothing. Its products are the image and,
 * if that is an index, the platforms under it: scanners ask for one or the other.
 */
export function vexStatement(subject: ImageSubject, entries: readonly VexEntry[]): Statement | undefined {
  if (entries.length === 0) return undefined;
  const { descriptor, repository, platforms, tool } = subject;
  const digests = new Set([descriptor.digest, ...platforms.map(image => image.digest)]);
  const statements = entries.map(entry => ({
    vulnerability: { name: entry.vulnerability },
    timestamp: entry.date,
    products: [...digests].map(digest => ({
      '@id': imageDigestUrl(repository, digest),
      ...(entry.packages.length > 0 && { subcomponents: entry.packages.map(id => ({ '@id': id })) }),
    })),
    status: entry.status,
    ...(entry.justification !== null && { justification: entry.justification }),
    ...(entry.impact !== null && { impact_statement: entry.impact }),
    ...(entry.action !== null && { action_statement: entry.action }),
  }));
  const hash = createHash('sha256').update(JSON.stringify(statements)).digest('hex');
  return statementAbout(descriptor.digest, 'vex', {
    '@context': CONTEXT,
    '@id': `https://openvex.dev/docs/public/vex-${hash}`,
    author: tool.builderId,
    // The day of the newest statement: a document that says the same is the same.
    timestamp: entries
      .map(entry => entry.date)
      .toSorted()
      .at(-1),
    version: 1,
    tooling: `weighbridge/${tool.version}`,
    statements,
  });
}
