import { hubPage } from '../../licenses/hub-page.ts';
import type { ModelUpdate } from '../../plan/lock/update.ts';
import type { UpdateJson } from '../json/update-json.ts';
import { baseText, filesText } from '../text/update-report.ts';
import { mdCode, mdLink, mdText } from './markdown.ts';

const MAX_MODELS = 300;
const SHORT_COMMIT = 8;

/** Returns what an update changes, as the text of a pull request. Markdown. */
export function updatePage({ bases, models }: UpdateJson): string {
  const moved = models.filter(({ status }) => status === 'moved');
  const kept = models.filter(({ status }) => status === 'kept');
  const same = models.length - moved.length - kept.length;
  return `${[
    `## Update of ${moved.length} of ${models.length} models`,
    ...(bases.length === 0 ? [] : [bases.map(baseLine).join('\n')]),
    ...section(moved, ({ short }) => `### ${mdText(short)}`),
    ...section(kept, ({ short }) => `### ${mdText(short)} stays`),
    ...(same === 0 ? [] : [`${same} more ${same === 1 ? 'is' : 'are'} up to date.`]),
  ].join('\n\n')}\n`;
}

function section(models: readonly ModelUpdate[], title: (model: ModelUpdate) => string): string[] {
  return [
    ...models.slice(0, MAX_MODELS).map(model => `${title(model)}\n\n${lines(model).join('\n')}`),
    ...(models.length > MAX_MODELS ? [`and ${models.length - MAX_MODELS} more`] : []),
  ];
}

function lines({ id, reason, commit, files, base, changes, findings }: ModelUpdate): string[] {
  return [
    `- ${mdLink(id, hubPage(id))}`,
    ...(reason === undefined ? [] : [`- ⚠️ **Not moved:** ${mdText(reason)}`]),
    ...(commit
      ? [
          `- commit ${commitLink(id, commit.from)} → ${commitLink(id, commit.to)} (${mdLink('history', `${hubPage(id)}/commits/${commit.to}`)})`,
        ]
      : []),
    ...(files ? [`- ${filesText(files)}`] : []),
    ...(base ? [`- base image ${mdCode(baseText(base.from))} → ${mdCode(baseText(base.to))}`] : []),
    ...changes.map(change => `- ${mdText(change)}`),
    ...findings.map(finding => `- ⚠️ ${mdText(finding)}`),
  ];
}

function commitLink(id: string, commit: string): string {
  return mdLink(commit.slice(0, SHORT_COMMIT), `${hubPage(id)}/commit/${commit}`);
}

function baseLine({ from, to, reason }: UpdateJson['bases'][number]): string {
  return to === undefined
    ? `- ${mdCode(from)} stays: ${mdText(reason ?? '')}`
    : `- base image ${mdCode(from)} → ${mdCode(to)}`;
}
