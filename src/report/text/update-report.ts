import { formatBytes } from '../../core/text.ts';
import type { ModelUpdate } from '../../plan/lock/update.ts';
import type { UpdateJson } from '../json/update-json.ts';
import { clean, counted, paragraph } from '../layout/text-layout.ts';
import { styleFor } from '../progress/style.ts';
import type { TextOptions } from './plan-table.ts';

const SHORT_COMMIT = 12;
const SHORT_DIGEST = 'sha256:'.length + 12;

/** Returns what an update moves and what stays with its reason, for people. No line break at its end. */
export function updateReport(
  { isDryRun, bases, models }: UpdateJson,
  { columns, isColor }: TextOptions,
): string {
  const style = styleFor(isColor);
  const told = models.filter(({ status }) => status !== 'same');
  const moved = models.filter(({ status }) => status === 'moved').length;
  const kept = told.length - moved;
  const end =
    moved === 0
      ? `No model moves; ${upToDate(models.length - kept)}.`
      : `${counted(moved, 'model')} ${isDryRun ? 'would move' : 'moved'}; ${upToDate(models.length - told.length)}.`;
  return [
    ...bases.flatMap(({ from, to, reason }) =>
      paragraph(to === undefined ? `${from} stays: ${clean(reason ?? '')}` : `${from} → ${to}`, {
        columns,
        indent: 0,
      }),
    ),
    ...told.flatMap(model => [
      style.strong(`${clean(model.short)}${model.status === 'kept' ? ' stays' : ''}`),
      ...(model.reason === undefined
        ? []
        : paragraph(clean(model.reason), { columns, indent: 2 }).map(style.bad)),
      ...changesOf(model).flatMap(line => paragraph(clean(line), { columns, indent: 2 })),
    ]),
    ...paragraph(end, { columns, indent: 0 }),
    ...(kept === 0 ? [] : paragraph(`${counted(kept, 'model')} not moved.`, { columns, indent: 0 })),
    ...(told.some(({ status, error }) => status === 'kept' && error === undefined)
      ? paragraph('After a review, take one with: weighbridge update <model> --force', { columns, indent: 0 })
      : []),
  ].join('\n');
}

function changesOf({ commit, files, base, changes, findings }: ModelUpdate): string[] {
  return [
    ...(commit ? [`commit ${commit.from.slice(0, SHORT_COMMIT)} → ${commit.to.slice(0, SHORT_COMMIT)}`] : []),
    ...(files ? [filesText(files)] : []),
    ...(base ? [`base image ${baseText(base.from)} → ${baseText(base.to)}`] : []),
    ...changes,
    ...findings,
  ];
}

/** Returns how much of a commit is new. */
export function filesText({ count, sizeBytes }: NonNullable<ModelUpdate['files']>): string {
  return count === 0
    ? 'no new or changed files'
    : `${counted(count, 'new or changed file')}, ${formatBytes(sizeBytes)}`;
}

/** Returns a base image with the beginning of its digest. */
export function baseText({ image, digest }: NonNullable<ModelUpdate['base']>['from']): string {
  const name = image.replace(/@sha256:.*/, '');
  return digest === null ? `${name} (digest unknown)` : `${name}@${digest.slice(0, SHORT_DIGEST)}`;
}

function upToDate(count: number): string {
  return `${count} ${count === 1 ? 'is' : 'are'} up to date`;
}
