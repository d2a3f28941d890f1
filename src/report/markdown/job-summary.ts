import { SEVERITIES, type Variant } from '../../config/types.ts';
import { shownVariants } from '../../config/variants.ts';
import { formatBytes, titleCase } from '../../core/text.ts';
import { hubPage } from '../../licenses/hub-page.ts';
import type { ImageScan } from '../../scan/types.ts';
import type { ImageJson, PublishJson, PublishModelJson } from '../json/publish-json.ts';
import type { ScanJson } from '../json/scan-json.ts';
import { counted } from '../layout/text-layout.ts';
import { type ModelSection, modelSection } from './job-summary-model.ts';
import { type MdColumn, mdCode, mdLink, mdTable, mdText } from './markdown.ts';

/** What jobs have left behind, as they wrote it. */
export interface JobResults {
  readonly published: readonly PublishJson[];
  readonly scanned: readonly ScanJson[];
}

/** What a job summary tells besides the outcomes. */
export interface JobSummaryOptions {
  /** The table alone, for a run of many jobs that each have a page of their own. */
  readonly isOverview: boolean;
  /** GitHub refuses a summary of more than 1 MiB. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 1000 * 1024;
/** Room for the line that says what has been left out. */
const NOTE_BYTES = 120;

const columns = (variants: readonly Variant[]): readonly MdColumn[] => [
  { title: 'Model' },
  { title: 'License' },
  ...variants.map(variant => ({ title: titleCase(variant) })),
  { title: 'Model size', isNumber: true },
  { title: 'Uploaded', isNumber: true },
  { title: 'Saved', isNumber: true },
  { title: 'Time', isNumber: true },
  { title: 'Findings' },
];

/** Returns the page of a CI run, in Markdown as GitHub and GitLab render it. Ends with a line break. */
export function jobSummary(results: JobResults, options: JobSummaryOptions): string {
  const models = results.published.flatMap(one => one.models);
  const scans = Map.groupBy(
    results.scanned.flatMap(one => one.scans),
    scan => scan.short,
  );
  const scansOf = ({ short }: PublishModelJson): readonly ImageScan[] => scans.get(short) ?? [];
  const failures = results.scanned.flatMap(one => one.failures);
  const variants = shownVariants(variant => models.some(model => model.decisions?.[variant] !== undefined));
  const head = [
    `## ${headline(models)}`,
    ...(models.length === 0
      ? []
      : [
          mdTable(
            columns(variants),
            models.map(model => overviewRow(model, variants, scansOf(model))),
          ),
        ]),
    ...failures.map(
      ({ short, variant, error }) =>
        `❌ ${mdText(short)} ${variant} was not scanned: ${mdText(error.message)}`,
    ),
    ...ignoredNote(results),
  ];
  const sections = options.isOverview ? [] : models.map(model => modelSection(model, scansOf(model)));
  return fitting(head, sections, options.maxBytes ?? MAX_BYTES);
}

function headline(models: readonly PublishModelJson[]): string {
  const images = models.flatMap(model => model.images);
  const parts = (['published', 'unchanged', 'failed'] as const).flatMap(status => {
    const count = images.filter(image => image.status === status).length;
    return count === 0 ? [] : [`${counted(count, 'image')} ${status}`];
  });
  const lost = models.filter(model => model.error !== undefined).length;
  if (lost > 0) parts.push(`${counted(lost, 'model')} not resolved`);
  return parts.length === 0 ? 'Nothing was published' : parts.join(', ');
}

function overviewRow(
  model: PublishModelJson,
  variants: readonly Variant[],
  scans: readonly ImageScan[],
): string[] {
  const { images } = model;
  const sum = (bytesOf: (image: ImageJson) => number): string =>
    images.length === 0 ? '' : formatBytes(images.reduce((total, image) => total + bytesOf(image), 0));
  return [
    `${mdLink(model.id, hubPage(model.id))}<br>${mdCode(model.short)}`,
    mdText(model.license ?? (model.error === undefined ? 'none' : '')),
    ...variants.map(variant => variantCell(model, variant)),
    model.serve === undefined ? '' : formatBytes(model.serve.modelBytes),
    sum(image => image.bytes.uploaded),
    sum(image => image.bytes.mounted + image.bytes.reused),
    model.durationMs === undefined ? '' : duration(model.durationMs),
    findingsCell(scans),
  ];
}

function variantCell(model: PublishModelJson, variant: Variant): string {
  if (model.error !== undefined) return '❌ not resolved';
  const images = model.images.filter(image => image.variant === variant);
  if (images.length === 0) return '';
  if (images.some(image => image.status === 'failed')) return '❌ failed';
  if (images.some(image => image.refusedTags !== undefined)) return '❌ a tag stays';
  if (images.every(image => image.status === 'skipped')) return '⏭️ left out';
  return images.some(image => image.status === 'published') ? '✅ published' : '✅ unchanged';
}

/** Returns the worst of a model's images, since they share a base; in full in its section. */
export function findingsCell(scans: readonly ImageScan[]): string {
  if (scans.length === 0) return '';
  const counts = SEVERITIES.slice(0, 2).map(severity => {
    const count = Math.max(...scans.map(scan => scan.summary.vulnerabilities[severity]));
    return `${count} ${severity.toLowerCase()}`;
  });
  const secrets = Math.max(...scans.map(scan => scan.summary.secrets));
  const mark = scans.some(scan => scan.failing > 0) ? '❌ ' : '';
  return `${mark}${counts.join(', ')}${secrets > 0 ? `, ${secrets} secrets` : ''}`;
}

/** Returns a time as `1 h 02 min`, `3 min 20 s` or `4.2 s`. */
export function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${String(Math.round((ms % 60_000) / 1000)).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** A registry's name that is a CI secret turns into stars on the page: said, because it cannot be copied then. */
function ignoredNote({ published }: JobResults): string[] {
  const hasDockerHub = published.some(one =>
    one.models.some(model =>
      model.images.some(image => image.tags.some(tag => tag.startsWith('docker.io/'))),
    ),
  );
  if (!hasDockerHub) return [];
  return [
    '<sub>Where a name shows as `***`, it is kept as a secret (`DOCKERHUB_USERNAME`): make it a variable to see it.</sub>',
  ];
}

/** Sections of models that failed come first where not all have room. */
function fitting(head: readonly string[], sections: readonly ModelSection[], maxBytes: number): string {
  let room = maxBytes - Buffer.byteLength(head.join('\n\n')) - NOTE_BYTES;
  const shown = new Set<ModelSection>();
  for (const section of [...sections].sort((a, b) => Number(b.isFailed) - Number(a.isFailed))) {
    room -= Buffer.byteLength(section.text) + 2;
    if (room < 0) break;
    shown.add(section);
  }
  const left = sections.length - shown.size;
  const note =
    left === 0
      ? []
      : [`The page has no room for ${left} more ${left === 1 ? 'model' : 'models'}; the table has them all.`];
  return `${[...head, ...sections.filter(one => shown.has(one)).map(one => one.text), ...note].join('\n\n')}\n`;
}
