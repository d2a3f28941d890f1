import { STATEMENT_NAMES } from '../attest/statement.ts';
import { describeStatements } from '../attest/stored-statements.ts';
import { plainLine } from '../core/safe-text.ts';
import {
  type AdapterEntry,
  type FatRefusalLabels,
  readLabels,
  type StatedFacts,
} from '../image/format/labels.ts';
import { baseOf, imagePort, licenseOf, lineageOf, sizesByKind, totalBytes } from '../image/image-facts.ts';
import type { ImageLayer, ListedFile, PublishedImage } from '../image/published-image.ts';
import { type FoundImage, type FoundModel, isCurrent } from '../inspect/read-published.ts';
import { serveArgsIn, servedNameOf } from '../report/serve/served-image.ts';
import { newestScan } from '../scan/scan-referrer.ts';
import type {
  CatalogData,
  CatalogFile,
  CatalogImage,
  CatalogLayer,
  CatalogModel,
  CatalogPlatform,
} from './catalog-data.ts';
import { catalogFacts } from './catalog-facts.ts';
import type { ModelDetails } from './model-details.ts';
import type { PreviousCatalog, PreviousModel } from './previous-catalog.ts';

/** What a catalog is made from besides the images. */
export interface CatalogOptions {
  readonly title: string;
  readonly now: Date;
  /** The catalog before this one, which knows since when images have been there. */
  readonly previous: PreviousCatalog | undefined;
  /** What the Hub says, by short name; none if it was not asked. */
  readonly details?: ReadonlyMap<string, ModelDetails>;
}

const EPOCH = '1970-01-01T00:00:00Z';
const MAX_DESCRIPTION = 500;
const MAX_REASON = 1000;
const MAX_ADAPTERS = 100;
const MAX_LAYER_NAME = 300;

/**
 * Returns the catalog of what was found. A pure function: the same findings, time and previous catalog give the same
 * catalog. Models without an image are left out.
 */
export function toCatalog(found: readonly FoundModel[], options: CatalogOptions): CatalogData {
  const { title, now, previous, details } = options;
  const seen = datesIn(previous);
  const firstSeen: FirstSeen = digest => seen.get(digest) ?? isoSeconds(now);
  const before = new Map((previous?.models ?? []).map(model => [model.short, model]));
  const models = found.flatMap(model => {
    const known = { details: details?.get(model.short), before: before.get(model.short) };
    return toModel(model, firstSeen, known) ?? [];
  });
  return {
    schemaVersion: 1,
    title,
    generated: isoSeconds(now),
    models: models.toSorted((a, b) => byName(a.id, b.id) || byName(a.short, b.short)),
  };
}

/** Labels may hold any text: what becomes a link is an address of the web. */
function webAddress(text: string | undefined): string | undefined {
  const url = text === undefined ? null : URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : undefined;
}

/** RFC 3339, as image configs have it, and feeds need it. */
function timestamp(text: unknown): string | undefined {
  const isTime =
    typeof text === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) &&
    !Number.isNaN(Date.parse(text));
  return isTime ? text : undefined;
}

/** As the list's script does: whatever the machine's language is. */
function byName(a: string, b: string): number {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  return x < y ? -1 : x > y ? 1 : 0;
}

type FirstSeen = (digest: string) => string;

/** Older catalogs took the time of the base image for images that they saw first: those were there by then, and no more is known. */
function datesIn(previous: PreviousCatalog | undefined): Map<string, string> {
  const images = (previous?.models ?? []).flatMap(model => model.images);
  return new Map(
    images.flatMap(({ digest, created, firstSeen }) => {
      const seen = timestamp(firstSeen === created ? previous?.generated : firstSeen);
      return seen === undefined ? [] : [[digest, seen] as const];
    }),
  );
}

interface Known {
  readonly details: ModelDetails | undefined;
  /** The model in the catalog before this one. */
  readonly before: PreviousModel | undefined;
}

function toModel(
  { id, short, images: found, problems }: FoundModel,
  firstSeen: FirstSeen,
  known: Known,
): CatalogModel | undefined {
  const images = found.flatMap(image => toImage(image, firstSeen) ?? []);
  const [newest] = images;
  const newestFound = found[0];
  const platform = newestFound?.platforms[0];
  if (newest === undefined || platform === undefined) return undefined;
  const stated = readLabels(platform.labels);
  const files = modelFilesOf(found, newest.revision);
  // Of a slim image alone, if there is one: an image with the weights in it needs neither.
  const labels = found
    .flatMap(image => image.platforms.slice(0, 1))
    .filter(({ model }) => model?.revision === newest.revision)
    .map(image => readLabels(image.labels));
  const before = known.before?.revision === newest.revision ? known.before : undefined;
  const { details } = known;
  return {
    id,
    short,
    title: plainLine(stated.title ?? short),
    description: plainLine(stated.description ?? '', MAX_DESCRIPTION),
    url: webAddress(stated.url) ?? `https://huggingface.co/${id}`,
    license: oneLine(stated.modelLicense ?? licenseOf(platform)) ?? details?.license ?? null,
    facts: catalogFacts(platform, files ?? [], { details: details?.facts, before: before?.facts }),
    access:
      details === undefined
        ? (labels.find(one => one.access !== undefined)?.access ?? before?.access ?? null)
        : details.access,
    fatRefusal: refusalIn(labels) ?? null,
    fit: details?.fit ?? (before?.version === newest.version ? before?.fit : undefined) ?? null,
    serveArgs: serveArgsIn(platform),
    servedName: plainLine(servedNameOf(platform)),
    adapters: stated.adapters.slice(0, MAX_ADAPTERS).map(toAdapter),
    revisionDate: details?.committed ?? before?.revisionDate ?? null,
    lineage: lineageOf(platform).map(one => ({
      id: plainLine(one.id),
      license: one.license === null ? null : plainLine(one.license),
    })),
    revision: newest.revision,
    version: newest.version,
    variants: [...new Set(images.filter(image => image.isCurrent).map(image => image.variant))].sort(),
    modelBytes: files === undefined ? null : files.reduce((sum, file) => sum + file.sizeBytes, 0),
    updated: newestDate(images),
    images,
    files: (files ?? []).map(toFile),
    problems,
    page: `models/${short}.html`,
  };
}

function toAdapter({ name, id, revision, license }: AdapterEntry): AdapterEntry {
  return {
    name: plainLine(name),
    id: plainLine(id),
    revision: plainLine(revision),
    license: license === null ? null : plainLine(license),
  };
}

function toFile({ path, sizeBytes, sha256, gitOid }: ListedFile): CatalogFile {
  return {
    path,
    size: sizeBytes,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(gitOid === undefined ? {} : { gitOid }),
  };
}

/** When the newest of its images appeared. */
function newestDate(images: readonly CatalogImage[]): string {
  const times = images.map(image => image.firstSeen).sort();
  return times.at(-1) ?? EPOCH;
}

/** A fat image knows its files' hashes; what a slim one lists is the next best. */
function modelFilesOf(found: readonly FoundImage[], revision: string): readonly ListedFile[] | undefined {
  return found
    .filter(image => image.platforms[0]?.model?.revision === revision)
    .flatMap(image => (image.files === undefined ? [] : [image.files]))
    .toSorted((a, b) => hashes(b) - hashes(a))[0];
}

function refusalIn(labels: readonly StatedFacts[]): FatRefusalLabels | undefined {
  const refusal = labels.find(one => one.fatRefusal !== undefined)?.fatRefusal;
  return refusal && { rule: plainLine(refusal.rule), reason: plainLine(refusal.reason, MAX_REASON) };
}

function oneLine(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : plainLine(text);
}

function toImage(found: FoundImage, firstSeen: FirstSeen): CatalogImage | undefined {
  const [first] = found.platforms;
  if (first?.model === undefined) return undefined;
  const { variant, revision, dir } = first.model;
  const base = baseOf(first);
  const created = timestamp(first.config.created) ?? EPOCH;
  return {
    digest: found.digest,
    variant,
    revision,
    version: oneLine(base?.version) ?? null,
    base:
      base === undefined ? null : { name: plainLine(base.name, 300), digest: oneLine(base.digest) ?? null },
    created,
    firstSeen: firstSeen(found.digest),
    isCurrent: isCurrent(found),
    port: imagePort(first),
    dir,
    access: readLabels(first.labels).access ?? null,
    scan: newestScan(found.referrers)?.summary ?? null,
    statements: statementNames(found),
    // An older image is told of, not drawn: of hundreds of layers a model there would be no end.
    platforms: found.platforms.map(platform => toPlatform(platform, found.files !== undefined)),
    places: found.places,
  };
}

function statementNames({ referrers }: FoundImage): string[] {
  const kinds = describeStatements(referrers).flatMap(({ kind }) => (kind === undefined ? [] : [kind]));
  return [...new Set(kinds)].map(kind => STATEMENT_NAMES[kind]).sort();
}

function toPlatform(image: PublishedImage, hasLayers: boolean): CatalogPlatform {
  const sizes = sizesByKind(image);
  return {
    platform: image.platform,
    digest: image.digest,
    size: { total: totalBytes(sizes), ...sizes },
    layers: hasLayers ? image.layers.map(toLayer) : [],
  };
}

function toLayer({ digest, sizeBytes, kind, createdBy, files }: ImageLayer): CatalogLayer {
  const [first] = files;
  const more = files.length > 1 ? ` and ${files.length - 1} more` : '';
  const name = first === undefined ? createdBy : `${first.path}${more}`;
  return { digest, size: sizeBytes, kind, name: plainLine(name, MAX_LAYER_NAME) };
}

function hashes(files: readonly ListedFile[]): number {
  return files.filter(file => file.sha256 !== undefined).length;
}

function isoSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
