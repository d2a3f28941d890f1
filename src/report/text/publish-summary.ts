import { errorFromJson, errorToJson } from '../../core/errors.ts';
import { formatBytes } from '../../core/text.ts';
import {
  type ByteCounts,
  type ImageOutcome,
  type ImageStatus,
  isPublishOutcome,
  type ModelOutcome,
  type PublishOutcome,
  type ReportedModel,
} from '../../publish/types.ts';
import { imagesInOrder } from '../image-order.ts';
import { clean, counted, paragraph, shortened } from '../layout/text-layout.ts';
import { type Style, styleFor } from '../progress/style.ts';
import { movementTotal } from './movement.ts';
import { NO_REGISTRY, type TextOptions } from './plan-table.ts';

const INDENT = 2;
const STATUS_WIDTH = 'unchanged'.length;
/** Where the text under an image begins. */
const DETAIL_INDENT = INDENT + STATUS_WIDTH + 2;

interface SummaryOptions {
  readonly columns: number;
  readonly style: Style;
  readonly errors: ErrorList;
  readonly words: Words;
}

/** What becomes of images and bytes, in words: a folder is not published to. */
interface Words {
  readonly published: string;
  readonly uploaded: string;
  readonly nothing: string;
}

const PUBLISH_WORDS: Words = { published: 'published', uploaded: 'uploaded', nothing: 'nothing to publish' };
const BUILD_WORDS: Words = { published: 'built', uploaded: 'written', nothing: 'nothing to build' };

/**
 * Returns the end of a publish for people: per model and image, then every error once, then the sum. No line break at
 * its end.
 */
export function publishSummary(
  results: readonly ModelOutcome[],
  { columns, isColor, isBuild = false }: TextOptions & { readonly isBuild?: boolean },
): string {
  const style = styleFor(isColor);
  const options = { columns, style, errors: new ErrorList(), words: isBuild ? BUILD_WORDS : PUBLISH_WORDS };
  const outcomes = results.filter(isPublishOutcome);
  const sections = outcomes.map(outcome => modelSection(outcome, options));
  for (const result of results) {
    if (!isPublishOutcome(result)) options.errors.add(errorFromJson(result.error), result.model.short);
  }
  const blocks = [
    ...sections,
    errorSection(options),
    [totals(results, options), ...dryTotal(outcomes)].flatMap(line =>
      paragraph(line, { columns, indent: 0 }),
    ),
  ];
  return blocks
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n');
}

/** Returns the errors of a publish, each once with the images that it hit; empty if there are none. */
export function publishErrors(results: readonly ModelOutcome[], { columns, isColor }: TextOptions): string {
  const options = { columns, style: styleFor(isColor), errors: new ErrorList(), words: PUBLISH_WORDS };
  for (const result of results) {
    if (isPublishOutcome(result)) modelSection(result, options);
    else options.errors.add(errorFromJson(result.error), result.model.short);
  }
  return errorSection(options).join('\n');
}

/** Returns `ghcr.io/acme/hf-x@sha256:…` for each image that is at its registry, in the order of the summary. */
export function publishedReferences(results: readonly ModelOutcome[]): string[] {
  return results.filter(isPublishOutcome).flatMap(outcome =>
    imagesInOrder(outcome).flatMap(image => {
      const target = outcome.planned.targets.find(({ registry }) => registry === image.registry);
      return 'digest' in image && target !== undefined ? [`${target.repository}@${image.digest}`] : [];
    }),
  );
}

function modelSection(outcome: PublishOutcome<ReportedModel>, options: SummaryOptions): string[] {
  const { short } = outcome.planned.model;
  const title = options.style.strong(shortened(clean(short), options.columns));
  if (outcome.images.length === 0 && outcome.planned.targets.length === 0)
    return [
      title,
      ...paragraph(`${options.words.nothing}: ${NO_REGISTRY}`, { columns: options.columns, indent: INDENT }),
    ];
  return [title, ...grouped(imagesInOrder(outcome)).flatMap(images => imageLines(short, images, options))];
}

/** Images that were skipped for the same reason are said in one breath; every other image is alone. */
function grouped(images: readonly ImageOutcome[]): ImageOutcome[][] {
  const groups = new Map<unknown, ImageOutcome[]>();
  for (const image of images) {
    const isAlike = image.status === 'skipped' && image.tags.length === 0;
    const key = isAlike ? `${image.variant} ${image.reason}` : image;
    groups.set(key, [...(groups.get(key) ?? []), image]);
  }
  return [...groups.values()];
}

function imageLines(short: string, images: readonly ImageOutcome[], options: SummaryOptions): string[] {
  const [image] = images;
  if (image === undefined) return [];
  const { columns, style, errors, words } = options;
  const registries = images.map(one => clean(one.registry)).join(', ');
  const digest = !('digest' in image) ? '' : `  ${style.quiet(image.digest.slice(0, 'sha256:'.length + 12))}`;
  const number =
    image.status !== 'failed'
      ? ''
      : `  ${style.bad(`[${errors.add(image.error, `${short} ${registries} ${image.variant}`)}]`)}`;
  const status = paintStatus(image.status, style)(statusWord(image.status, words).padEnd(STATUS_WIDTH));
  const signature = 'signature' in image ? image.signature : undefined;
  const signed =
    signature?.status === 'failed'
      ? `not signed [${errors.add(signature.error, `${short} ${registries} ${image.variant}`)}]`
      : signature?.status;
  const refused = image.status === 'failed' ? [] : (image.refusedTags ?? []);
  const details = [
    ...(image.status === 'skipped' ? [clean(image.reason)] : []),
    ...(signed === undefined ? [] : [signed]),
    ...(image.status === 'skipped' ? [] : [bytesText(image.bytes, words)]),
    ...image.tags.map(clean),
    ...refused.map(
      ({ reference, error }) =>
        `${clean(reference)} not moved [${errors.add(error, `${short} ${registries} ${image.variant}`)}]`,
    ),
  ].filter(text => text !== '');
  return [
    ...paragraph(`${registries} ${image.variant}${digest}${number}`, {
      columns,
      indent: INDENT,
      label: `${status}  `,
    }),
    ...details.flatMap(text => paragraph(text, { columns, indent: DETAIL_INDENT })),
  ];
}

function statusWord(status: ImageStatus, { published }: Words): string {
  return status === 'published' ? published : status;
}

function bytesText({ downloaded, uploaded, mounted, reused }: ByteCounts, words: Words): string {
  const parts = [
    [uploaded, words.uploaded],
    [downloaded, 'downloaded'],
    [mounted, 'mounted'],
    [reused, 'already there'],
  ] as const;
  return parts
    .filter(([bytes]) => bytes > 0)
    .map(([bytes, what]) => `${formatBytes(bytes)} ${what}`)
    .join(', ');
}

function paintStatus(status: ImageStatus, style: Style): (text: string) => string {
  return { published: style.good, unchanged: style.quiet, skipped: style.notable, failed: style.bad }[status];
}

/** Errors with what they hit: one that stopped twenty images is told once. */
class ErrorList {
  readonly #entries = new Map<string, { readonly error: unknown; readonly where: string[] }>();

  /** Returns the number that the error has in the list, from 1. */
  add(error: unknown, where: string): number {
    const { code, message, remedy } = errorToJson(error);
    const key = JSON.stringify([code, message, remedy]);
    const entry = this.#entries.get(key) ?? { error, where: [] };
    entry.where.push(where);
    this.#entries.set(key, entry);
    return [...this.#entries.keys()].indexOf(key) + 1;
  }

  get entries(): readonly { readonly error: unknown; readonly where: readonly string[] }[] {
    return [...this.#entries.values()];
  }
}

function errorSection({ columns, style, errors }: SummaryOptions): string[] {
  return errors.entries.flatMap(({ error, where }, index) => {
    const { message, remedy } = errorToJson(error);
    const label = `[${index + 1}] `;
    const indent = label.length;
    return [
      ...paragraph(clean(message), { columns, indent: 0, label }).map(style.bad),
      ...(remedy === undefined ? [] : paragraph(clean(remedy), { columns, indent })),
      ...paragraph(clean(where.join(', ')), { columns, indent, label: 'in ' }).map(style.quiet),
    ];
  });
}

/** Of a dry run: its images are left out with tags, which nothing else is. */
function dryTotal(outcomes: readonly PublishOutcome<ReportedModel>[]): string[] {
  const isDry = ({ images }: PublishOutcome<ReportedModel>): boolean =>
    images.some(image => image.status === 'skipped' && image.tags.length > 0);
  return outcomes.some(isDry) ? [movementTotal(outcomes)] : [];
}

const STATUSES: readonly ImageStatus[] = ['published', 'unchanged', 'skipped', 'failed'];

function totals(results: readonly ModelOutcome[], { style, words }: SummaryOptions): string {
  const outcomes = results.filter(isPublishOutcome);
  const images = outcomes.flatMap(outcome => outcome.images);
  const counts = STATUSES.flatMap(status => {
    const count = images.filter(image => image.status === status).length;
    return count === 0 ? [] : [paintStatus(status, style)(`${count} ${statusWord(status, words)}`)];
  });
  const unresolved = results.length - outcomes.length;
  if (unresolved > 0) counts.push(style.bad(`${counted(unresolved, 'model')} not resolved`));
  return counts.length === 0 ? words.nothing : counts.join(', ');
}
