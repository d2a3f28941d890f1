import { formatBytes } from '../../core/text.ts';
import type { PrunedImageJson, PrunedRepositoryJson, PruneJson } from '../json/prune-json.ts';
import { clean, counted, paragraph } from '../layout/text-layout.ts';
import { type Style, styleFor } from '../progress/style.ts';
import type { TextOptions } from './plan-table.ts';

/** Returns what is, or was, deleted and why, for people. No line break at its end. */
export function pruneReport(
  { repositories, isDryRun, left }: PruneJson,
  { columns, isColor }: TextOptions,
): string {
  const style = styleFor(isColor);
  const lines = repositories.flatMap(repository =>
    repositoryLines(repository, style).flatMap(([text, indent, paint]) =>
      paragraph(text, { columns, indent }).map(paint),
    ),
  );
  const count = repositories.reduce((sum, { removed }) => sum + removed.length, 0);
  const freed = formatBytes(repositories.reduce((sum, { freedBytes }) => sum + freedBytes, 0));
  const failed = repositories.filter(({ error }) => error !== undefined).length;
  const end = [
    count === 0
      ? 'Nothing to delete.'
      : isDryRun
        ? `${counted(count, 'image')} would be deleted, ${freed} freed. Delete with: weighbridge prune --yes`
        : `${counted(count, 'image')} of ${counted(repositories.length, 'repository')} deleted; the registry frees ${freed} when it collects garbage.`,
    ...(failed === 0 ? [] : [`${failed} of ${counted(repositories.length, 'repository')} failed.`]),
    ...(left.length === 0
      ? []
      : [
          `No longer in the file: ${left.map(clean).join(', ')}. Delete their images with: weighbridge prune --removed <short>`,
        ]),
  ];
  return [...lines, ...end.flatMap(text => paragraph(text, { columns, indent: 0 }))].join('\n');
}

type Line = readonly [text: string, indent: number, paint: (text: string) => string];

function repositoryLines(
  { repository, kept, removed, error }: PrunedRepositoryJson,
  style: Style,
): readonly Line[] {
  const plain = (text: string): string => text;
  const name = (image: PrunedImageJson): string => image.tags.map(clean).join(', ');
  return [
    [clean(repository), 0, style.strong],
    ...removed.map(
      (image): Line => [
        `delete ${name(image)} (${formatBytes(image.freedBytes)}): ${clean(image.reason)}`,
        2,
        plain,
      ],
    ),
    ...kept.map((image): Line => [`keep ${name(image)}: ${clean(image.reason)}`, 2, style.quiet]),
    ...(error === undefined ? [] : [[clean(error.message), 2, style.bad] as const]),
    ...(error?.remedy === undefined ? [] : [[clean(error.remedy), 2, plain] as const]),
  ];
}
