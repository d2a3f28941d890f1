import { VARIANTS, type Variant } from '../../config/types.ts';
import { holdsWeights, shownVariants } from '../../config/variants.ts';
import { describeError, isRefused } from '../../core/errors.ts';
import { table } from '../../core/table.ts';
import { formatBytes } from '../../core/text.ts';
import { refusalAt } from '../../plan/targets.ts';
import type { Plan, PlannedModel, UnresolvedModel } from '../../plan/types.ts';
import type { ImageOutcome, PublishOutcome } from '../../publish/types.ts';
import { clean, counted, paragraph, shortened } from '../layout/text-layout.ts';
import { type Column, textTable } from '../layout/text-table.ts';
import { type Style, styleFor } from '../progress/style.ts';
import { fitWord } from './fit-text.ts';
import { leftOutSummary } from './left-out.ts';
import { movementTotal } from './movement.ts';

/** Why nothing of a model is published. */
export const NO_REGISTRY = 'no registry is enabled for this model';

/** What texts for a terminal are made for. */
export interface TextOptions {
  readonly columns: number;
  readonly isColor: boolean;
}

/** What of a plan is shown. */
export interface PlanTextOptions extends TextOptions {
  /** Those of a dry run, where the registries were looked at. */
  readonly outcomes?: readonly PublishOutcome[] | undefined;
  /** Whether each model has its reasons; by default only in a plan of a few models. */
  readonly hasReasons?: boolean | undefined;
}

/** Above this the reasons of all models are more than anybody reads: the table is the plan. */
const FEW_MODELS = 8;

type Entry = PlannedModel | UnresolvedModel;

const headOf = (variants: readonly Variant[]): readonly Column[] => [
  { title: 'MODEL', minWidth: 16 },
  { title: 'REVISION' },
  { title: 'LICENSE', minWidth: 10 },
  { title: 'GATED' },
  ...variants.map(variant => ({ title: variant.toUpperCase() })),
  { title: 'FITS' },
  { title: sizeLabel(variants).toUpperCase() },
];

/** What the size of a model is called where a variant may be called the same. */
function sizeLabel(variants: readonly Variant[]): string {
  return variants.includes('weights') ? 'size' : 'weights';
}

/**
 * Returns a plan for people: an overview, then for each of a few models why, and where to; of many the errors only. No line
 * break at its end.
 */
export function planTable(
  plan: Plan,
  { columns, isColor, outcomes, hasReasons = plan.models.length <= FEW_MODELS }: PlanTextOptions,
): string {
  if (plan.models.length === 0) return 'There is no model to plan.';
  const style = styleFor(isColor);
  const variants = shownVariants(variant =>
    plan.models.some(({ model }) => model.variants.includes(variant)),
  );
  const head = [...headOf(variants), ...(outcomes === undefined ? [] : [{ title: 'TO MOVE' }])];
  const rows = plan.models.map(entry => overviewRow(entry, variants, outcomes));
  const overview = textTable(head, rows, columns, (cell, text) => paintCell(cell, text, style));
  const isShort = !hasReasons && overview !== undefined;
  const explained = isShort ? plan.models.filter(entry => isInNeed(entry, outcomes)) : plan.models;
  const sections = explained.map(entry =>
    section(entry, { columns, style, isNarrow: overview === undefined, outcomes, variants }),
  );
  const blocks = [
    ...(overview === undefined ? [] : [overview]),
    ...sections,
    [totals(plan), ...(outcomes === undefined ? [] : [movementTotal(outcomes)]), ...(isShort ? [HINT] : [])]
      .filter(line => line !== '')
      .flatMap(line => paragraph(line, { columns, indent: 0 })),
  ];
  return blocks.map(lines => lines.join('\n')).join('\n\n');
}

const HINT = 'Reasons: weighbridge plan --explain <short>, or --reasons for all models.';

/** Whether something is wrong that a row of the table does not say. */
function isInNeed(entry: Entry, outcomes: PlanTextOptions['outcomes']): boolean {
  if (entry.kind === 'unresolved') return true;
  const images = outcomes?.find(({ planned }) => planned === entry)?.images ?? [];
  return images.some(({ status }) => status === 'failed');
}

function overviewRow(
  entry: Entry,
  variants: readonly Variant[],
  outcomes: PlanTextOptions['outcomes'],
): string[] {
  const movement = outcomes === undefined ? [] : [toMove(entry, outcomes)];
  return [clean(entry.model.short), ...facts(entry, variants).map(([, value]) => value), ...movement];
}

/** To all registries together; a registry that could not be looked at leaves it open. */
function toMove(entry: Entry, outcomes: readonly PublishOutcome[]): string {
  const images = outcomes.find(({ planned }) => planned === entry)?.images ?? [];
  const looked = images.filter(image => image.tags.length > 0);
  if (looked.length === 0) return '-';
  const bytes = looked.reduce((sum, image) => sum + image.bytes.uploaded, 0);
  const isOpen = looked.some(image => image.status === 'failed');
  if (looked.every(image => image.status === 'unchanged')) return 'nothing';
  return isOpen ? 'unknown' : formatBytes(bytes);
}

/** What the columns hold, and in a narrow window the lines of a model's section. */
function facts(entry: Entry, variants: readonly Variant[]): [label: string, value: string][] {
  const unknown = '-';
  if (entry.kind === 'unresolved') {
    return [
      ['revision', 'error'],
      ...['license', 'gated', ...variants, 'fits', sizeLabel(variants)].map((label): [string, string] => [
        label,
        unknown,
      ]),
    ];
  }
  const { snapshot, outcome, files, fit } = entry;
  const isBuilt = (variant: Variant): string => yesOrNo(outcome.decisions[variant].build);
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  return [
    ['revision', snapshot.revision.slice(0, 8)],
    ['license', clean(outcome.license.spdx ?? outcome.license.declared ?? 'none named')],
    ['gated', yesOrNo(outcome.isGated)],
    ...variants.map((variant): [string, string] => [variant, isBuilt(variant)]),
    ['fits', fitWord(fit)],
    [sizeLabel(variants), `${formatBytes(sizeBytes)}, ${counted(files.length, 'file')}`],
  ];
}

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

function paintCell(cell: string, text: string, style: Style): string {
  if (text === 'error') return style.bad(cell);
  return text === '-' ? style.quiet(cell) : cell;
}

interface SectionOptions {
  readonly columns: number;
  readonly style: Style;
  readonly variants: readonly Variant[];
  /** Whether the section stands for the overview as well. */
  readonly isNarrow: boolean;
  readonly outcomes: PlanTextOptions['outcomes'];
}

const LABEL_WIDTH = 10;

function section(entry: Entry, options: SectionOptions): string[] {
  const { columns, style, isNarrow, variants } = options;
  const labeled = (label: string, text: string): string[] => {
    const [first = '', ...rest] = paragraph(text, {
      columns,
      indent: 2,
      label: `${label} `.padEnd(LABEL_WIDTH),
    });
    return [first, ...rest];
  };
  const title = style.strong(shortened(clean(entry.model.short), columns));
  const model = labeled('model', clean(entry.model.id));
  if (entry.kind === 'unresolved') {
    const { message, remedy } = entry.error;
    const error = labeled('error', clean(message)).map(line => style.bad(line));
    return [title, ...model, ...error, ...(remedy === undefined ? [] : labeled('remedy', clean(remedy)))];
  }
  return [
    title,
    ...model,
    ...(isNarrow
      ? facts(entry, variants).flatMap(([label, value]) => labeled(label, value))
      : labeled('revision', entry.snapshot.revision)),
    ...shownVariants(variant => entry.model.variants.includes(variant))
      .filter(variant => isWorthSaying(entry, variant))
      .flatMap(variant => {
        const { build, reason } = entry.outcome.decisions[variant];
        const lines = labeled(
          isNarrow ? `${variant}: why` : variant,
          clean(`${isNarrow ? '' : `${yesOrNo(build)}. `}${reason}`),
        );
        return build ? lines : lines.map(line => style.notable(line));
      }),
    ...notes(entry, labeled),
    ...leftOutNote(entry, labeled).map(style.quiet),
    ...destinations(entry, { ...options, labeled }),
  ];
}

/** Findings that decide nothing and that people want to know of, by what they are called here. */
const NOTES = table<string>({ 'remote code': 'code', layers: 'layers' });

function notes({ outcome }: PlannedModel, labeled: (label: string, text: string) => string[]): string[] {
  return outcome.findings.flatMap(({ check, says, verdict }) => {
    const label = verdict === 'note' ? NOTES[check] : undefined;
    return label === undefined ? [] : labeled(label, clean(says));
  });
}

function leftOutNote(
  { leftOut }: PlannedModel,
  labeled: (label: string, text: string) => string[],
): string[] {
  const summary = leftOutSummary(leftOut);
  return summary === '' ? [] : labeled('left out', summary);
}

/** That an image without weights is always built needs no words, unless it takes a token to run it. */
function isWorthSaying({ outcome }: PlannedModel, variant: Variant): boolean {
  return holdsWeights(variant) || !outcome.decisions[variant].build || outcome.isGated;
}

function destinations(
  entry: PlannedModel,
  {
    labeled,
    style,
    outcomes,
  }: SectionOptions & { readonly labeled: (label: string, text: string) => string[] },
): string[] {
  const { targets, tags } = entry;
  if (targets.length === 0) return labeled('to', `nowhere: ${NO_REGISTRY}`);
  const images = outcomes?.find(({ planned }) => planned === entry)?.images ?? [];
  return targets.flatMap(({ registry, repository }) => [
    ...labeled('to', `${clean(registry)}: ${clean(repository)}`),
    ...VARIANTS.filter(variant => refusalAt(entry, variant, registry) === undefined).flatMap(variant => {
      const image = images.find(one => one.registry === registry && one.variant === variant);
      return [
        ...labeled('', tags[variant].map(clean).join(' ')),
        ...(image === undefined ? [] : labeled('', movementText(image)).map(paintMovement(image, style))),
      ];
    }),
  ]);
}

function movementText(image: ImageOutcome): string {
  const { variant, status, bytes } = image;
  if (image.status === 'failed') {
    if (image.refusedTags !== undefined) return `${variant}: ${clean(describeError(image.error))}`;
    const what = image.isUnassembled && isRefused(image.error) ? 'cannot be built' : 'could not be read';
    return `${variant}: ${what}: ${clean(describeError(image.error))}`;
  }
  const stays = (image.refusedTags ?? [])
    .map(({ tag }) => `; the immutable tag ${clean(tag)} stays`)
    .join('');
  if (status === 'unchanged') return `${variant}: unchanged, nothing to do${stays}`;
  const there = bytes.reused === 0 ? '' : `, ${formatBytes(bytes.reused)} already there`;
  const mounted = bytes.mounted === 0 ? '' : `, ${formatBytes(bytes.mounted)} can be mounted`;
  return `${variant}: up to ${formatBytes(bytes.uploaded)} to move${there}${mounted}${stays}`;
}

function paintMovement({ status }: ImageOutcome, style: Style): (text: string) => string {
  if (status === 'failed') return style.notable;
  return status === 'unchanged' ? style.good : style.quiet;
}

/** `1 slim, 1 fat and 1 weights` */
const LIST = new Intl.ListFormat('en-GB');

function totals({ models }: Plan): string {
  const planned = models.filter(model => model.kind === 'planned');
  const images = VARIANTS.flatMap(variant => {
    const count = planned.filter(({ outcome }) => outcome.decisions[variant].build).length;
    return count === 0 ? [] : [`${count} ${variant}`];
  });
  const unresolved = models.length - planned.length;
  const failed = unresolved === 0 ? '' : `; ${counted(unresolved, 'model')} could not be resolved`;
  return `${counted(models.length, 'model')}: ${images.length === 0 ? 'nothing to build' : `${LIST.format(images)} to build`}${failed}.`;
}
