import { hexOf, isSha256Hex } from '../core/digest.ts';
import { isRecord } from '../core/json-shape.ts';
import { quoted } from '../core/safe-text.ts';
import { MODEL_SIGNATURE } from '../image/format/model-signature.ts';
import { licenseOf } from '../image/image-facts.ts';
import type { ListedFile, PublishedImage, PublishedModel } from '../image/published-image.ts';
import { basesOf } from './base-images.ts';
import { readBundle } from './bundle.ts';
import { modelUrl } from './package-url.ts';
import { kindOf, type Statement } from './statement.ts';
import { isUnsigned, type ModelResource, rootDigest } from './statements/model-signature.ts';
import { readStatement } from './verify-bundle.ts';

/** What a statement is compared with: the image as it is in the registry. */
export interface StatedImage {
  /** Of the manifest or index that the statement is attached to. */
  readonly digest: `sha256:${string}`;
  readonly model: PublishedModel;
  readonly platforms: readonly PublishedImage[];
  readonly files: readonly ListedFile[];
}

/** Returns what a statement says that the image is not, in sentences; none if it is about this image and right. */
export function differencesOf(statement: Statement, image: StatedImage): string[] {
  const kind = kindOf(statement.predicateType);
  if (kind === 'model') return modelDifferences(statement, image.files);
  const isAbout = statement.subject.some(({ digest }) => digest.sha256 === hexOf(image.digest));
  if (!isAbout) return ['it is about another image'];
  const predicate = isRecord(statement.predicate) ? statement.predicate : {};
  if (kind === 'provenance') return provenanceDifferences(predicate, image);
  if (kind === 'bom') return bomDifferences(predicate, image);
  if (kind === 'license') return licenseDifferences(predicate, image);
  return [];
}

type Predicate = Readonly<Record<string, unknown>>;

function provenanceDifferences(predicate: Predicate, { model, platforms, files }: StatedImage): string[] {
  const definition = record(predicate.buildDefinition);
  const dependencies = list(definition.resolvedDependencies).map(record);
  const digests = new Map(
    dependencies.map(one => [typeof one.uri === 'string' ? one.uri : '', record(one.digest)]),
  );
  const source = digests.get(modelUrl(model.id, model.revision));
  const hashes = new Set(dependencies.map(one => record(one.digest).sha256));
  const unstated = files.filter(({ sha256 }) => sha256 !== undefined && !hashes.has(sha256));
  return [
    ...(source?.gitCommit === model.revision ? [] : [`it does not name ${model.id} at ${model.revision}`]),
    ...basesOf({ platforms }).flatMap(({ digest }) =>
      hashes.has(hexOf(digest)) ? [] : [`it does not name the base image ${digest}`],
    ),
    ...unstated.slice(0, 3).map(({ path }) => `it does not name the file ${quoted(path)} with its hash`),
  ];
}

function bomDifferences(predicate: Predicate, { model, platforms }: StatedImage): string[] {
  const components = list(predicate.components).map(record);
  const found = components.find(one => one.purl === modelUrl(model.id, model.revision));
  if (found === undefined) return [`it does not list ${model.id} at ${model.revision}`];
  const license = platforms[0] && licenseOf(platforms[0]);
  const stated = record(list(record(record(predicate.metadata).component).licenses)[0]).expression;
  const listed = JSON.stringify(components);
  return [
    ...(license === undefined || stated === license
      ? []
      : [`it has the license ${said(stated)}, and the image says ${said(license)}`]),
    ...basesOf({ platforms }).flatMap(({ digest }) =>
      listed.includes(hexOf(digest)) ? [] : [`it does not list the base image ${digest}`],
    ),
  ];
}

function licenseDifferences(predicate: Predicate, { model, platforms }: StatedImage): string[] {
  const about = record(predicate.model);
  const license = platforms[0] && licenseOf(platforms[0]);
  const stated = record(predicate.image).license ?? undefined;
  return [
    ...(about.id === model.id && about.revision === model.revision
      ? []
      : [`it is about ${said(about.id)} at ${said(about.revision)}`]),
    ...(predicate.variant === model.variant ? [] : [`it is about the variant ${said(predicate.variant)}`]),
    ...(record(predicate.decision).build === true ? [] : ['it says that the image may not be published']),
    ...(stated === license
      ? []
      : [`it has the license ${said(stated)}, and the image says ${said(license)}`]),
  ];
}

/**
 * Returns what the model signature in a bundle says that files are not, in sentences. Who has signed it is not asked: this
 * tells whether it is about these files. Throws SigningError SIGNATURE_INVALID for what is not a bundle.
 */
export function signatureDifferences(bytes: Buffer, files: readonly ListedFile[]): string[] {
  const statement = readStatement(readBundle(bytes, MODEL_SIGNATURE), MODEL_SIGNATURE);
  if (kindOf(statement.predicateType) !== 'model') return ['it is not a model signature'];
  return modelDifferences(statement, files);
}

/** A model signature is about the files: of each one whose sha256 the image tells, it has to be the same. */
function modelDifferences(statement: Statement, files: readonly ListedFile[]): string[] {
  const resources = list(record(statement.predicate).resources).map(record);
  if (!resources.every(isResource)) return ['it has files without a name or a sha256'];
  const stated = new Map(resources.map(({ name, digest }) => [name, digest]));
  const listed = new Map(files.map(file => [file.path, file]));
  const root = statement.subject[0]?.digest.sha256;
  return [
    ...(root === rootDigest(resources) ? [] : ['its digest is not that of its files']),
    ...files.flatMap(({ path, sha256 }) => {
      if (isUnsigned(path)) return [];
      if (!stated.has(path)) return [`it does not have the file ${quoted(path)}`];
      return sha256 === undefined || stated.get(path) === sha256
        ? []
        : [`it has ${quoted(path)} with another hash`];
    }),
    ...[...stated.keys()]
      .filter(path => !listed.has(path))
      .map(path => `the image does not have ${quoted(path)}`),
  ].slice(0, 5);
}

function isResource(value: Predicate): value is Predicate & ModelResource {
  return typeof value.name === 'string' && isSha256Hex(value.digest);
}

function record(value: unknown): Predicate {
  return isRecord(value) ? value : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function said(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : 'nothing';
}
