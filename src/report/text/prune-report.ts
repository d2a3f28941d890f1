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
  const end = [
    ...totals(repositories, isDryRun),
    ...(left.length === 0
      ? []
      : [
          `No longer in the file: ${left.map(clean).join(', ')}. Delete their images with: weighbridge prune --removed <short>`,
        ]),
  ];
  return [...lines, ...end.flatMap(text => paragraph(text, { columns, indent: 0 }))].join('\n');
}

/** Repositories that are named at the end; each has its error above. */
const NAMED = 3;

/** What could not be read may well have something to delete, so nothing is said of it but that. */
function totals(repositories: readonly PrunedRepositoryJson[], isDryRun: boolean): readonly string[] {
  const failed = repositories.filter(({ error }) => error !== undefined);
  const unread = failed.filter(({ kept, removed }) => kept.length + removed.length === 0);
  const read = repositories.length - unread.length;
  const halfDone = failed.length - unread.length;
  return [
    ...deletedLine(repositories, isDryRun, { read, halfDone }),
    ...(halfDone === 0
      ? []
      : [`${halfDone} of ${counted(repositories.length, 'repository')} could not be pruned completely.`]),
    ...(unread.length === 0 ? [] : [`Not looked through: ${named(unread)}.`]),
  ];
}

function deletedLine(
  repositories: readonly PrunedRepositoryJson[],
  isDryRun: boolean,
  { read, halfDone }: { readonly read: number; readonly halfDone: number },
): readonly string[] {
  const count = repositories.reduce((sum, { removed }) => sum + removed.length, 0);
  if (count === 0) {
    if (halfDone > 0) return ['Nothing was deleted.'];
    if (read === repositories.length) return ['Nothing to delete.'];
    return read === 0 ? [] : [`Nothing to delete in ${counted(read, 'repository')}.`];
  }
  const freed = formatBytes(repositories.reduce((sum, { freedBytes }) => sum + freedBytes, 0));
  return [
    isDryRun
      ? `${counted(count, 'image')} would be deleted, ${freed} freed. Delete with: weighbridge prune --yes`
      : `${counted(count, 'image')} of ${counted(read, 'repository')} deleted; the registry frees ${freed} when it collects garbage.`,
  ];
}

function named(repositories: readonly PrunedRepositoryJson[]): string {
  const names = repositories.slice(0, NAMED).map(({ repository }) => clean(repository));
  const more = repositories.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
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
