import { nearest } from '../core/text.ts';
import { isTag, parseReference } from '../oci/reference.ts';
import { checkBaseImage, checkTagTemplate, expandTag, REGISTRY_KEY } from './field-checks.ts';
import type { ConfigProblem } from './problems.ts';
import { BUILT_IN_BASE_IMAGE, BUILT_IN_REGISTRIES, BUILT_IN_TAGS } from './schema.ts';
import { valueAt } from './schema-problems.ts';
import { signingChecks } from './signing-checks.ts';
import type { Path, YamlSource } from './yaml/yaml-source.ts';

/**
 * What no single field can tell. Works on the data as written, so that these problems are shown along with those of
 * the schema; a value of a wrong type is passed over.
 */
export function crossChecks(source: YamlSource, extraRegistries: readonly string[]): ConfigProblem[] {
  const models = valueAt(source.value, ['models']);
  const paths: Path[] = Array.isArray(models) ? models.map((_, index) => ['models', index]) : [];
  const known = [...BUILT_IN_REGISTRIES, ...keysOf(source, ['registries']), ...extraRegistries];
  return [
    ...wrongRegistryKeys(source),
    ...[['layer_limits'], ['defaults', 'publish'], ...paths.map(path => [...path, 'publish'])].flatMap(path =>
      unknownRegistries(path, known, source),
    ),
    ...sharedShorts(paths, source),
    ...paths.flatMap(path => wrongTags(path, source)),
    ...paths.flatMap(path => wrongFolder(path, source)),
    ...signingChecks(source),
  ];
}

function wrongRegistryKeys(source: YamlSource): ConfigProblem[] {
  const wrong = keysOf(source, ['registries']).filter(key => !REGISTRY_KEY.test(key));
  return wrong.map(key =>
    source.problem(
      source.locateKey(['registries'], key),
      `${JSON.stringify(key)} must be a short name for a registry: lower-case letters and digits, such as ghcr`,
    ),
  );
}

function unknownRegistries(path: Path, known: readonly string[], source: YamlSource): ConfigProblem[] {
  const unknown = keysOf(source, path).filter(key => !known.includes(key));
  return unknown.map(key => {
    const span = source.locateKey(path, key);
    const guess = nearest(key, known);
    if (guess !== undefined) return source.problem(span, `unknown registry ${JSON.stringify(key)}`, guess);
    return source.problem(span, `unknown registry ${JSON.stringify(key)}: give its prefix in "registries"`);
  });
}

function sharedShorts(paths: readonly Path[], source: YamlSource): ConfigProblem[] {
  const places = new Map<string, Path[]>();
  for (const path of paths) {
    const short = valueAt(source.value, [...path, 'short']);
    if (typeof short === 'string') places.set(short, [...(places.get(short) ?? []), [...path, 'short']]);
  }
  const shared = [...places].filter(([, users]) => users.length > 1);
  return shared.flatMap(([short, users]) =>
    users.map(path => {
      const other = users.find(user => user !== path) ?? path;
      const { line } = source.position(other);
      const message = `"short" ${JSON.stringify(short)} is also that of the model on line ${line}: each needs its own`;
      return source.problem(source.locate(path), message);
    }),
  );
}

/** A tag is made of two fields that may each be written in two places, or in none. */
function wrongTags(model: Path, source: YamlSource): ConfigProblem[] {
  const basePath = written('base_image', model, source);
  const base = basePath === undefined ? BUILT_IN_BASE_IMAGE : valueAt(source.value, basePath);
  const tagsPath = written('tags', model, source);
  const tags = serverTags(tagsPath === undefined ? BUILT_IN_TAGS : valueAt(source.value, tagsPath));
  if (typeof base !== 'string' || checkBaseImage(base) !== undefined || tags === undefined) return [];
  const versioned = tags.filter(
    (tag): tag is string => typeof tag === 'string' && tag.includes('{version}') && !checkTagTemplate(tag),
  );
  const report = (message: string) => [source.problem(source.locate(basePath ?? tagsPath ?? model), message)];
  const version = parseReference(base).tag;
  if (version === undefined) {
    if (versioned.length === 0) return [];
    return report(
      '"base_image" has no tag for {version} in "tags": write name:tag, or name:tag@sha256:… to pin it',
    );
  }
  const tooLong = versioned.find(tag => !isTag(expandTag(tag, version)));
  if (tooLong === undefined) return [];
  return report(
    `the tag of "base_image" makes ${JSON.stringify(tooLong)} in "tags" longer than 128 characters`,
  );
}

/** The templates of the variants that have a version of vLLM. */
function serverTags(written: unknown): readonly unknown[] | undefined {
  if (Array.isArray(written)) return written;
  if (typeof written !== 'object' || written === null) return undefined;
  const { slim = BUILT_IN_TAGS, fat = BUILT_IN_TAGS } = written as { slim?: unknown; fat?: unknown };
  return Array.isArray(slim) && Array.isArray(fat) ? [...slim, ...fat] : undefined;
}

/** The bootstrap's own folder, and those that something else is in or is mounted over when a container runs. */
const TAKEN_FOLDERS = ['/opt/weighbridge', '/licenses', '/proc', '/sys', '/dev'];

/** A model's folder is made of two fields: with `download_root: /opt`, one called `weighbridge` would be the bootstrap's. */
function wrongFolder(model: Path, source: YamlSource): ConfigProblem[] {
  const short = valueAt(source.value, [...model, 'folder']) ?? valueAt(source.value, [...model, 'short']);
  const path = written('download_root', model, source);
  const root = path === undefined ? undefined : valueAt(source.value, path);
  if (path === undefined || typeof root !== 'string' || typeof short !== 'string') return [];
  const folder = `${root.replace(/\/+$/, '')}/${short}`;
  const taken = TAKEN_FOLDERS.find(one => folder === one || folder.startsWith(`${one}/`));
  if (taken === undefined) return [];
  const message = `"download_root" puts the model into ${taken}, which is not a folder for models: use another, such as /models`;
  return [source.problem(source.locate(path), message)];
}

/** Where `key` is written for a model: in its own entry or in the defaults. */
function written(key: string, model: Path, source: YamlSource): Path | undefined {
  return [
    [...model, key],
    ['defaults', key],
  ].find(path => valueAt(source.value, path) !== undefined);
}

function keysOf(source: YamlSource, path: Path): string[] {
  const value = valueAt(source.value, path);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}
