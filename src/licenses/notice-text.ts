import { plainLine } from '../core/text.ts';
import type { ModelSnapshot } from '../hub/types.ts';
import type { LicenseContext, LicenseOutcome, LicenseTextOrigin } from './types.ts';

export interface NoticeFacts {
  readonly snapshot: ModelSnapshot;
  readonly outcome: LicenseOutcome;
  readonly context: LicenseContext;
  readonly origin: LicenseTextOrigin;
  /** Names below `licenses/model`. */
  readonly files: readonly string[];
}

/** `/licenses/NOTICE`: what is in the image under which terms, for people. */
export function noticeText(facts: NoticeFacts): string {
  const model = facts.context.variant === 'fat' ? fatModel(facts) : slimModel(facts);
  return `${[['What is in this image, and under which terms'], ownFiles(), model, baseImage(facts.context)]
    .map(section => section.join('\n'))
    .join('\n\n')}\n`;
}

function ownFiles(): string[] {
  return [
    "1. The files that Weighbridge added: the start of the model server, the image's labels",
    '   and settings, and this notice',
    '   Terms:     CC0-1.0; full text: /licenses/CC0',
  ];
}

function fatModel({ snapshot, outcome, context, origin, files }: NoticeFacts): string[] {
  return [
    `2. The model ${plainLine(snapshot.id)}, in ${plainLine(context.modelDir, 500)}`,
    ...modelFacts(snapshot, outcome, context),
    ...textOrigin(origin),
    ...files.map(
      (name, index) =>
        `${index === 0 ? '   Files:     ' : '              '}/licenses/model/${plainLine(name)}`,
    ),
  ];
}

function slimModel({ snapshot, outcome, context }: NoticeFacts): string[] {
  return [
    `2. The model ${plainLine(snapshot.id)}: its weights are NOT in this image`,
    `   They are downloaded to ${plainLine(context.modelDir, 500)} when it starts, by and for whoever`,
    '   runs it, who then holds them under the terms below.',
    ...modelFacts(snapshot, outcome, context),
    ...(outcome.isGated
      ? ['   Access:    the model is gated; its terms have to be accepted on the Hub first']
      : []),
  ];
}

function modelFacts(
  { license, revision }: ModelSnapshot,
  outcome: LicenseOutcome,
  context: LicenseContext,
): string[] {
  const { spdx, declared } = outcome.license;
  const lines = [
    `   Source:    ${plainLine(context.sourceUrl, 500)}`,
    `   Revision:  ${revision}`,
    `   Terms:     ${spdx ?? 'not known'}`,
    `   Declared:  ${declared === null ? 'nothing' : plainLine(declared, 500)}`,
  ];
  if (license.licenseLink !== null) lines.push(`   Link:      ${plainLine(license.licenseLink, 500)}`);
  return lines;
}

function textOrigin(origin: LicenseTextOrigin): string[] {
  switch (origin.kind) {
    case 'upstream':
      return [`   Text:      /licenses/model/LICENSE, which is ${plainLine(origin.file)} of the repository`];
    case 'spdx':
      return [
        `   Text:      /licenses/model/LICENSE, the SPDX text of ${origin.ids.join(', ')}: the repository has`,
        '              no licence file, so names and years in it are left open',
      ];
    case 'none':
      return ['   Text:      none is known; /licenses/model/LICENSE says what the repository declares'];
  }
}

function baseImage({ baseImage: { reference, digest } }: LicenseContext): string[] {
  return [
    `3. The base image ${plainLine(reference, 500)}`,
    ...(digest === undefined ? [] : [`   Digest:    ${digest}`]),
    '   Terms:     those of the software in it, which are its own and are not changed here;',
    '              see the publisher of the base image, and the packages inside',
  ];
}
