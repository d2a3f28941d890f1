import { VARIANTS, type Variant } from '../../config/types.ts';
import { shownVariants } from '../../config/variants.ts';
import { formatBytes, titleCase } from '../../core/text.ts';
import { hubPage } from '../../licenses/hub-page.ts';
import type { PlanJson, PlanModelJson } from '../json/plan-json.ts';
import { counted } from '../layout/text-layout.ts';
import { type MdColumn, mdCode, mdDetails, mdLink, mdTable, mdText } from './markdown.ts';

const MAX_ROWS = 300;

/** Returns what a change of models.yaml would do, for a pull request: two plans compared with each other. Markdown. */
export function planChange(after: PlanJson, before: PlanJson | undefined): string {
  const old = new Map((before?.models ?? []).map(model => [model.short, model]));
  const kept = new Set(after.models.map(model => model.short));
  const entries = after.models.map(model => ({
    model,
    what: whatChanged(model, old.get(model.short), before),
  }));
  const changed = entries.filter(entry => entry.what !== undefined);
  const removed = [...old.values()].filter(model => !kept.has(model.short));
  const variants = shownVariants(variant =>
    after.models.some(model => model.decisions?.[variant] !== undefined),
  );
  const rows = changed.slice(0, MAX_ROWS).map(({ model, what }) => row(model, variants, what ?? ''));
  const unresolved = changed.filter(({ model }) => model.error !== undefined).length;
  const counts = { published: changed.length - unresolved, unresolved, removed: removed.length };
  const head = `## ${headline(counts, after.models.length)}`;
  const same = after.models.length - changed.length;
  return `${[
    head,
    ...(rows.length === 0 ? [] : [mdTable(columns(variants), rows)]),
    ...(rows.length < changed.length ? [`and ${changed.length - rows.length} more`] : []),
    ...(removed.length === 0
      ? []
      : [
          `No longer listed: ${removed.map(model => mdCode(model.short)).join(', ')}. Their published images stay.`,
        ]),
    ...unfit(changed.map(({ model }) => model)),
    ...(same === 0 || changed.length === 0 ? [] : [`${same} more stay as they are.`]),
    ...changed.slice(0, MAX_ROWS).flatMap(({ model }) => (model.images.length === 0 ? [] : [targets(model)])),
  ].join('\n\n')}\n`;
}

/** What would keep models from running, before they are merged. */
function unfit(models: readonly PlanModelJson[]): string[] {
  const lines = models.flatMap(({ short, fit }) =>
    (fit?.findings ?? []).map(
      ({ message, remedy }) =>
        `- ⚠️ ${mdCode(short)}: ${mdText(remedy === undefined ? message : `${message} ${remedy}`)}`,
    ),
  );
  return lines.length === 0 ? [] : [lines.slice(0, MAX_ROWS).join('\n')];
}

function columns(variants: readonly Variant[]): MdColumn[] {
  const titles = ['Model', 'Change', 'License', ...variants.map(titleCase), 'Size'];
  return titles.map(title => ({ title, isNumber: title === 'Size' }));
}

function headline(
  { published, unresolved, removed }: Readonly<Record<'published' | 'unresolved' | 'removed', number>>,
  all: number,
): string {
  const parts = [
    ...(published === 0 ? [] : [`${counted(published, 'model')} would be published`]),
    ...(removed === 0 ? [] : [`${counted(removed, 'model')} would no longer be`]),
    ...(unresolved === 0 ? [] : [`${counted(unresolved, 'model')} could not be resolved`]),
  ];
  return parts.length === 0 ? `Nothing changes for the ${counted(all, 'model')}` : parts.join(', ');
}

/** Undefined if a publish would move nothing that the other plan's would not. */
function whatChanged(
  model: PlanModelJson,
  old: PlanModelJson | undefined,
  before: PlanJson | undefined,
): string | undefined {
  if (before === undefined) return 'planned';
  if (old === undefined) return 'new';
  const parts = [
    ...(model.error === undefined ? [] : ['not resolved']),
    ...(model.revision === old.revision ? [] : ['revision']),
    ...(isSame(model.files, old.files) ? [] : ['files']),
    ...(isSame(model.adapters, old.adapters) ? [] : ['adapters']),
    ...(isSame(model.images, old.images) ? [] : ['tags']),
    ...VARIANTS.filter(variant => model.decisions?.[variant]?.build !== old.decisions?.[variant]?.build),
    ...(isSame(model.settings, old.settings) ? [] : ['settings']),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

function row(model: PlanModelJson, variants: readonly Variant[], what: string): string[] {
  const decision = (variant: Variant): string => {
    const one = model.decisions?.[variant];
    if (one === undefined) return '';
    return `${one.build ? '✅' : '⏭️'} ${mdText(one.reason)}`;
  };
  return [
    `${mdLink(model.id, hubPage(model.id))}<br>${mdCode(model.short)}`,
    model.error === undefined ? what : `❌ ${mdText(model.error.message)}`,
    mdText(model.license ?? ''),
    ...variants.map(decision),
    formatBytes(model.files.reduce((sum, file) => sum + file.size, 0)),
  ];
}

function targets(model: PlanModelJson): string {
  const tags = model.images.flatMap(image => image.tags).map(tag => `- ${mdCode(tag)}`);
  return mdDetails(`Tags of ${mdText(model.short)}`, tags.join('\n'));
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
