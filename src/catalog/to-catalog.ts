import { STATEMENT_NAMES } from '../attest/statement.ts';
import { describeStatements } from '../attest/stored-statements.ts';
import { readLabels } from '../image/format/labels.ts';
import { baseOf, imagePort, licenseOf, lineageOf, sizesByKind, totalBytes } from '../image/image-facts.ts';
import type { ImageLayer, ListedFile, PublishedImage } from '../image/published-image.ts';
import { type FoundImage, type FoundModel, isCurrent } from '../inspect/read-published.ts';
import { newestScan } from '../scan/scan-referrer.ts';
import type {
  CatalogData,
  CatalogImage,
  CatalogLayer,
  CatalogModel,
  CatalogPlatform,
} from './catalog-data.ts';

export interface CatalogOptions {
  readonly title: string;
  readonly now: Date;
  /** The catalog before this one, which knows since when images have been there. */
  readonly previous: CatalogData | undefined;
}

const EPOCH = '1970-01-01T00:00:00Z';

/** Pure: the same findings, time and previous catalog give the same catalog. Models without an image are left out. */
export function toCatalog(found: readonly FoundModel[], options: CatalogOptions): CatalogData {
  const { title, now, previous } = options;
  const seen = new Map(
    (previous?.models ?? []).flatMap(model => model.images.map(image => [image.digest, image.firstSeen])),
  );
  const firstSeen = (digest: string, created: string): string =>
    seen.get(digest) ?? (previous === undefined ? created : isoSeconds(now));
  const models = found.flatMap(model => toModel(model, firstSeen) ?? []);
  return {
    schemaVersion: 1,
    title,
    generated: isoSeconds(now),
    models: models.toSorted((a, b) => a.short.localeCompare(b.short, 'en')),
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

type FirstSeen = (digest: string, created: string) => string;

function toModel(
  { id, short, images: found, problems }: FoundModel,
  firstSeen: FirstSeen,
): CatalogModel | undefined {
  const images = found.flatMap(image => toImage(image, firstSeen) ?? []);
  const [newest] = images;
  const newestFound = found[0];
  const platform = newestFound?.platforms[0];
  if (newest === undefined || platform === undefined) return undefined;
  const stated = readLabels(platform.labels);
  // A fat image knows its files' hashes; what a slim one lists is the next best.
  const files = found
    .filter(image => image.platforms[0]?.model?.revision === newest.revision)
    .flatMap(image => (image.files === undefined ? [] : [image.files]))
    .toSorted((a, b) => hashes(b) - hashes(a))[0];
  return {
    id,
    short,
    title: stated.title ?? short,
    description: stated.description ?? '',
    url: webAddress(stated.url) ?? `https://huggingface.co/${id}`,
    license: licenseOf(platform) ?? null,
    lineage: lineageOf(platform),
    revision: newest.revision,
    version: newest.version,
    variants: [...new Set(images.filter(image => image.isCurrent).map(image => image.variant))].sort(),
    modelBytes: files === undefined ? null : files.reduce((sum, file) => sum + file.sizeBytes, 0),
    updated:
      images
        .map(image => image.firstSeen)
        .sort()
        .at(-1) ?? EPOCH,
    images,
    files: (files ?? []).map(({ path, sizeBytes, sha256, gitOid }) => ({
      path,
      size: sizeBytes,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(gitOid === undefined ? {} : { gitOid }),
    })),
    problems,
    page: `models/${short}.html`,
  };
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
    version: base?.version ?? null,
    base: base === undefined ? null : { name: base.name, digest: base.digest ?? null },
    created,
    firstSeen: firstSeen(found.digest, created),
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
  return { digest, size: sizeBytes, kind, name };
}

function hashes(files: readonly ListedFile[]): number {
  return files.filter(file => file.sha256 !== undefined).length;
}

function isoSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
