import { isRecord, isTextList } from '../core/json-shape.ts';
import { nearest } from '../core/text.ts';
import { isTag, parseReference } from '../oci/reference.ts';
import { adapterChecks } from './adapter-checks.ts';
import {
  checkBaseImage,
  checkRegistryPrefix,
  checkTagTemplate,
  expandTag,
  REGISTRY_KEY,
} from './field-checks.ts';
import { type Place, problemAt, read, within, written } from './place.ts';
import type { ConfigProblem } from './problems.ts';
import { BUILT_IN_BASE_IMAGE, BUILT_IN_REGISTRIES, BUILT_IN_TAGS } from './schema.ts';
import { valueAt } from './schema-problems.ts';
import { signingChecks } from './signing-checks.ts';
import { type TagTemplates, templatesFor } from './tag-templates.ts';
import { VARIANTS, type Variant } from './types.ts';
import { USUAL_VARIANTS } from './variants.ts';
import type { YamlSource } from './yaml/yaml-source.ts';

/**
 * Returns the problems that no single field shows. Works on the data as written, so that these problems are shown along
 * with those of the schema; a value of a wrong type is passed over.
 */
export function crossChecks(
  main: YamlSource,
  included: readonly YamlSource[],
  extraRegistries: readonly string[],
): ConfigProblem[] {
  const models = [main, ...included].flatMap(modelsIn);
  const known = [
    ...BUILT_IN_REGISTRIES,
    ...keysOf({ source: main, path: ['registries'] }),
    ...extraRegistries,
  ];
  const choices: Place[] = [
    { source: main, path: ['layer_limits'] },
    { source: main, path: ['defaults', 'publish'] },
    ...models.map(model => within(model, 'publish')),
  ];
  return [
    ...wrongRegistryKeys(main),
    ...sharedPrefixes(main),
    ...choices.flatMap(place => unknownRegistries(place, known)),
    ...sharedShorts(models),
    ...models.flatMap(model => wrongTags(model, main)),
    ...models.flatMap(model => sharedTags(model, main)),
    ...models.flatMap(model => wrongFolder(model, main)),
    ...adapterChecks(models, main),
    ...signingChecks(main, models),
  ];
}

function modelsIn(source: YamlSource): Place[] {
  const models = valueAt(source.value, ['models']);
  return Array.isArray(models) ? models.map((_, index) => ({ source, path: ['models', index] })) : [];
}

function wrongRegistryKeys(source: YamlSource): ConfigProblem[] {
  const wrong = keysOf({ source, path: ['registries'] }).filter(key => !REGISTRY_KEY.test(key));
  return wrong.map(key =>
    source.problem(
      source.locateKey(['registries'], key),
      `${JSON.stringify(key)} must be a short name for a registry: lower-case letters and digits, such as ghcr`,
    ),
  );
}

/** Two keys for one place: everything would be published twice to it. */
function sharedPrefixes(source: YamlSource): ConfigProblem[] {
  const users = new Map<string, { key: string; line: number }>();
  return keysOf({ source, path: ['registries'] }).flatMap(key => {
    const entry: Place = { source, path: ['registries', key] };
    const place = isRecord(read(entry)) ? within(entry, 'prefix') : entry;
    const prefix = read(place);
    if (typeof prefix !== 'string' || checkRegistryPrefix(prefix) !== undefined) return [];
    const { registry, repository } = parseReference(`${prefix.replace(/\/+$/, '')}/x`);
    const other = users.get(`${registry}/${repository}`);
    if (other === undefined) {
      users.set(`${registry}/${repository}`, { key, line: source.position(place.path).line });
      return [];
    }
    const message = `${JSON.stringify(key)} has the same prefix as ${JSON.stringify(other.key)} on line ${other.line}: everything would be published there twice`;
    return [problemAt(place, message)];
  });
}

function unknownRegistries(place: Place, known: readonly string[]): ConfigProblem[] {
  const { source, path } = place;
  const unknown = keysOf(place).filter(key => !known.includes(key));
  return unknown.map(key => {
    const span = source.locateKey(path, key);
    const guess = nearest(key, known);
    if (guess !== undefined) return source.problem(span, `unknown registry ${JSON.stringify(key)}`, guess);
    return source.problem(span, `unknown registry ${JSON.stringify(key)}: give its prefix in "registries"`);
  });
}

function sharedShorts(models: readonly Place[]): ConfigProblem[] {
  const places = new Map<string, Place[]>();
  for (const model of models) {
    const place = within(model, 'short');
    const short = read(place);
    if (typeof short === 'string') places.set(short, [...(places.get(short) ?? []), place]);
  }
  const shared = [...places].filter(([, users]) => users.length > 1);
  return shared.flatMap(([short, users]) =>
    users.map(place => {
      const other = users.find(user => user !== place) ?? place;
      const { line } = other.source.position(other.path);
      const where =
        other.source === place.source
          ? `the model on line ${line}`
          : `the model at ${other.source.file}:${line}`;
      return problemAt(
        place,
        `"short" ${JSON.stringify(short)} is also that of ${where}: each needs its own`,
      );
    }),
  );
}

/** A tag is made of two fields that may each be written in two places, or in none. */
function wrongTags(model: Place, main: YamlSource): ConfigProblem[] {
  const basePlace = written('base_image', model, main);
  const base = basePlace === undefined ? BUILT_IN_BASE_IMAGE : read(basePlace);
  const tagsPlace = written('tags', model, main);
  const tags = serverTags(tagsPlace === undefined ? BUILT_IN_TAGS : read(tagsPlace));
  if (typeof base !== 'string' || checkBaseImage(base) !== undefined || tags === undefined) return [];
  const versioned = tags.filter(
    (tag): tag is string => typeof tag === 'string' && tag.includes('{version}') && !checkTagTemplate(tag),
  );
  const report = (message: string) => [problemAt(basePlace ?? tagsPlace ?? model, message)];
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

/** Two variants with one tag: the one that is published last would take it from the other. */
function sharedTags(model: Place, main: YamlSource): ConfigProblem[] {
  const place = written('tags', model, main);
  const [own, common] = [within(model, 'tags'), { source: main, path: ['defaults', 'tags'] }].map(read);
  if (place === undefined || !isTags(own) || !isTags(common)) return [];
  const variantsPlace = written('variants', model, main);
  const chosen = variantsPlace === undefined ? USUAL_VARIANTS : read(variantsPlace);
  const variants = VARIANTS.filter(variant => Array.isArray(chosen) && chosen.includes(variant));
  const basePlace = written('base_image', model, main);
  const base = basePlace === undefined ? BUILT_IN_BASE_IMAGE : read(basePlace);
  const version =
    typeof base === 'string' && checkBaseImage(base) === undefined ? parseReference(base).tag : undefined;
  const users = new Map<string, Variant>();
  for (const variant of variants) {
    for (const template of templatesFor(variant, own, common)) {
      const tag = template.replaceAll('{variant}', variant).replaceAll('{version}', version ?? '{version}');
      const user = users.get(tag) ?? variant;
      if (user !== variant) {
        const message = `"tags" has ${JSON.stringify(tag)} for both ${user} and ${variant}: one would overwrite the other`;
        return [problemAt(place, message)];
      }
      users.set(tag, variant);
    }
  }
  return [];
}

/** A list for all variants in which one has no {variant} is reported already. */
function isTags(value: unknown): value is TagTemplates | undefined {
  if (isTextList(value)) return value.every(template => template.includes('{variant}'));
  if (value === undefined) return true;
  return isRecord(value) && Object.values(value).every(isTextList);
}

/** The bootstrap's own folder, and those that something else is in or is mounted over when a container runs. */
const TAKEN_FOLDERS = ['/opt/weighbridge', '/licenses', '/proc', '/sys', '/dev'];

/** A model's folder is made of two fields: with `download_root: /opt`, one in `weighbridge` would be in the bootstrap's. */
function wrongFolder(model: Place, main: YamlSource): ConfigProblem[] {
  const name = read(within(model, 'folder')) ?? read(within(model, 'short'));
  const place = written('download_root', model, main);
  const root = place && read(place);
  if (place === undefined || typeof root !== 'string' || typeof name !== 'string') return [];
  const folder = `${root.replace(/\/+$/, '')}/${name}`;
  const taken = TAKEN_FOLDERS.find(one => folder === one || folder.startsWith(`${one}/`));
  if (taken === undefined) return [];
  const message = `"download_root" puts the model into ${taken}, which is not a folder for models: use another, such as /models`;
  return [problemAt(place, message)];
}

function keysOf(place: Place): string[] {
  const value = read(place);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}
