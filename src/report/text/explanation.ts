import { holdsWeights, shownVariants } from '../../config/variants.ts';
import { formatBytes } from '../../core/text.ts';
import type { Plan, PlannedModel } from '../../plan/types.ts';
import type { PolicyFinding } from '../../policy/types.ts';
import type { Preview } from '../../publish/preview.ts';
import { clean, counted, paragraph } from '../layout/text-layout.ts';
import { type Style, styleFor } from '../progress/style.ts';
import { assemblyLines } from './assembly-text.ts';
import { factLines, fitSentences } from './fit-text.ts';
import { leftOutLines } from './left-out.ts';
import { planTable, type TextOptions } from './plan-table.ts';

const CHECK_WIDTH = 14;
const SIGN: Readonly<Record<PolicyFinding['verdict'], string>> = { pass: 'yes', stop: 'NO', note: '-' };

const SIGN_OF_FIT = { yes: 'pass', NO: 'stop', '-': 'note' } as const;

interface ExplanationOptions extends TextOptions {
  /** Where base images were read: what the images are made of. */
  readonly outcomes?: readonly Preview[] | undefined;
}

/** Returns the text of `plan --explain`: what `explanation` says of each model, or why there is nothing to say. */
export function explanations(plan: Plan, options: ExplanationOptions): string {
  return plan.models
    .map(entry =>
      entry.kind === 'planned'
        ? explanation(entry, options)
        : planTable({ ...plan, models: [entry] }, options),
    )
    .join('\n\n');
}

/**
 * Returns the whole chain of reasoning about a model's fat image: facts and their sources, rule, outcome, what would
 * change it.
 */
export function explanation(
  planned: PlannedModel,
  { columns, isColor, outcomes }: ExplanationOptions,
): string {
  const assembly = outcomes?.find(outcome => outcome.planned === planned)?.assembly;
  const page = pageFor(planned, columns, isColor);
  const blocks = [
    identityLines(planned, page),
    adapterLines(planned, page),
    checkLines(planned, page),
    fitLines(planned, page),
    whatItIsLines(planned, page),
    outcomeLines(planned, page),
    changeLines(planned, page),
    assembly === undefined ? [] : imageLines(assembly, page),
    omittedLines(planned, page),
  ];
  return blocks
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n');
}

/** How lines of one explanation are set. */
interface Page {
  readonly columns: number;
  readonly style: Style;
  /** Of the names of checks. */
  readonly checkWidth: number;
  readonly wrap: (text: string, indent: number, label?: string) => string[];
}

function pageFor({ outcome }: PlannedModel, columns: number, isColor: boolean): Page {
  return {
    columns,
    style: styleFor(isColor),
    // An adapter's name is part of what its checks are called.
    checkWidth: Math.max(CHECK_WIDTH, ...outcome.findings.map(({ check }) => clean(check).length + 2)),
    wrap: (text, indent, label = '') => paragraph(clean(text), { columns, indent, label }),
  };
}

function identityLines({ model, snapshot, outcome }: PlannedModel, { style, wrap }: Page): string[] {
  return [
    style.strong(clean(model.short)),
    ...wrap(model.id, 2, 'model     '),
    ...wrap(snapshot.revision, 2, 'revision  '),
    ...wrap(outcome.license.spdx ?? 'not known', 2, 'license   '),
  ];
}

function adapterLines({ adapters }: PlannedModel, { style, wrap }: Page): string[] {
  if (adapters === undefined) return [];
  return [style.strong('Adapters'), ...adapters.flatMap(adapter => wrap(adapterText(adapter), 2))];
}

/** `sql: acme/sql-lora at 0123…, rank 16, MIT, 2 files, 3.1 MiB` */
function adapterText({
  adapter,
  snapshot,
  rank,
  outcome,
  files,
}: NonNullable<PlannedModel['adapters']>[number]): string {
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const { spdx, declared } = outcome.license;
  const facts = [
    ...(rank === null ? [] : [`rank ${rank}`]),
    spdx ?? declared ?? 'license not known',
    ...(outcome.isGated ? ['gated'] : []),
    `${counted(files.length, 'file')}, ${formatBytes(bytes)}`,
  ];
  return `${adapter.name}: ${snapshot.id} at ${snapshot.revision}, ${facts.join(', ')}`;
}

function checkLines({ outcome }: PlannedModel, page: Page): string[] {
  return [page.style.strong('Checks'), ...outcome.findings.flatMap(finding => findingLines(finding, page))];
}

function fitLines(planned: PlannedModel, page: Page): string[] {
  return [
    page.style.strong('Will it run'),
    ...fitSentences(planned).flatMap(({ label, says, from }) =>
      findingLines({ check: 'vLLM', says, from, verdict: SIGN_OF_FIT[label] }, page),
    ),
  ];
}

function findingLines(
  { check, says, from, verdict }: PolicyFinding,
  { columns, style, checkWidth }: Page,
): string[] {
  const label = `${SIGN[verdict].padEnd(5)}${clean(check).padEnd(checkWidth)}`;
  const source = paragraph(`(${clean(from)})`, { columns, indent: 7 + checkWidth });
  const paint = { pass: style.good, stop: style.notable, note: (text: string) => text }[verdict];
  const lines = paragraph(clean(says), { columns, indent: 2, label }).map(paint);
  return [...lines, ...source.map(style.quiet)];
}

function whatItIsLines({ facts }: PlannedModel, { style, wrap }: Page): string[] {
  return [
    style.strong('Facts'),
    ...factLines(facts).flatMap(([label, value]) => wrap(value, 2, label.padEnd(CHECK_WIDTH - 2))),
  ];
}

function outcomeLines({ model, outcome }: PlannedModel, { style, wrap }: Page): string[] {
  const variants = shownVariants(variant => model.variants.includes(variant));
  const width = Math.max(...variants.map(({ length }) => length)) + 2;
  return [
    style.strong('Decisions'),
    ...variants.flatMap(variant => {
      const { build, rule, reason } = outcome.decisions[variant];
      const because = holdsWeights(variant) || !build ? ` ${reason}` : '';
      const lines = wrap(`${build ? 'Yes' : 'No'}, by the rule ${rule}.${because}`, 2, variant.padEnd(width));
      if (!build) return lines.map(style.notable);
      return holdsWeights(variant) ? lines.map(style.good) : lines;
    }),
  ];
}

function changeLines({ model, outcome }: PlannedModel, { style, wrap }: Page): string[] {
  if (outcome.remedies.length === 0)
    return [style.strong('What would change it'), '  Nothing in models.yaml.'];
  return [
    style.strong(`What would change it, for ${clean(model.short)} in models.yaml`),
    ...outcome.remedies.flatMap(({ setting, effect }) => [`  ${setting}`, ...wrap(effect, 6)]),
  ];
}

function imageLines(assembly: Parameters<typeof assemblyLines>[0], { style, wrap }: Page): string[] {
  return [
    style.strong('Layers'),
    ...assemblyLines(assembly).flatMap(line => wrap(line.trimStart(), line.startsWith(' ') ? 4 : 2)),
  ];
}

function omittedLines({ leftOut }: PlannedModel, { style, wrap }: Page): string[] {
  if (leftOut.length === 0) return [];
  return [style.strong('Files that are left out'), ...leftOutLines(leftOut).flatMap(line => wrap(line, 2))];
}
