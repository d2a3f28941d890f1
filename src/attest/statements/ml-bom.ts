import { createHash } from 'node:crypto';
import { hexOf } from '../../core/digest.ts';
import { licenseOf, lineageOf } from '../../image/image-facts.ts';
import type { PublishedAdapter } from '../../image/published-image.ts';
import { hubPage } from '../../licenses/hub-page.ts';
import { basesOf } from '../base-images.ts';
import { imageUrl, modelUrl } from '../package-url.ts';
import { type Statement, statementAbout } from '../statement.ts';
import type { ImageSubject, ModelFile } from '../types.ts';

/** The parts of CycloneDX 1.6 that are written; https://cyclonedx.org/docs/1.6/json/ */
export interface Bom {
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: '1.6';
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: { readonly tools: object; readonly component: BomComponent };
  readonly components: readonly BomComponent[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface BomComponent {
  readonly type: 'container' | 'machine-learning-model' | 'file';
  readonly 'bom-ref'?: string;
  readonly name: string;
  readonly [key: string]: unknown;
}

/** Returns the bill of materials as a statement. */
export function bomStatement(subject: ImageSubject): Statement {
  return statementAbout(subject.descriptor.digest, 'bom', mlBom(subject));
}

/** Returns a bill of materials in CycloneDX 1.6: the image, the model with its files and pedigree, and the base image. */
export function mlBom(subject: ImageSubject): Bom {
  const { descriptor, repository, model, tool } = subject;
  const image = imageUrl(repository, descriptor.digest);
  const bases = baseComponents(subject);
  const [first] = subject.platforms;
  const adapters = (first?.adapters ?? []).map(adapterComponent);
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialNumber(`${descriptor.digest} ${tool.version}`),
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', name: 'weighbridge', version: tool.version }] },
      component: {
        type: 'container',
        'bom-ref': image,
        name: repository,
        version: descriptor.digest,
        hashes: [{ alg: 'SHA-256', content: hexOf(descriptor.digest) }],
        // What the image has of licenses, which for a slim one is not the model's.
        ...licensed(first && licenseOf(first), null),
        purl: image,
      },
    },
    components: [modelComponent(subject), ...adapters, ...bases],
    dependencies: [
      {
        ref: image,
        dependsOn: [
          modelUrl(model.id, model.revision),
          ...[...adapters, ...bases].flatMap(one => (one['bom-ref'] === undefined ? [] : [one['bom-ref']])),
        ],
      },
    ],
  };
}

function modelComponent(subject: ImageSubject): BomComponent {
  const { model, files, planned } = subject;
  const purl = modelUrl(model.id, model.revision);
  const task = taskOf(planned?.snapshot.tags);
  return {
    type: 'machine-learning-model',
    'bom-ref': purl,
    ...named(model.id),
    version: model.revision,
    purl,
    ...licensed(planned?.outcome.license.spdx, planned?.outcome.license.declared),
    modelCard: { ...(task && { modelParameters: { task } }) },
    externalReferences: [
      { type: 'distribution', url: `${hubPage(model.id)}/tree/${model.revision}` },
      { type: 'documentation', url: hubPage(model.id) },
    ],
    ...pedigree(subject),
    components: files.map(fileComponent),
    properties: [{ name: 'io.weighbridge.variant', value: model.variant }],
  };
}

/** What is served with the model: by commit, which its files are of. */
function adapterComponent({ name, id, revision, license }: PublishedAdapter): BomComponent {
  const purl = modelUrl(id, revision);
  return {
    type: 'machine-learning-model',
    'bom-ref': purl,
    ...named(id),
    version: revision,
    purl,
    ...licensed(license ?? undefined, null),
    properties: [{ name: 'io.weighbridge.adapter', value: name }],
  };
}

/** What it was made from, nearest first; the revisions are those whose licenses were read. */
function pedigree({ platforms, planned }: ImageSubject): object {
  const [image] = platforms;
  const known = new Map(planned?.outcome.lineage.map(entry => [entry.id, entry]));
  const ancestors = (image === undefined ? [] : lineageOf(image)).map(({ id, license }) => {
    const revision = known.get(id)?.revision;
    return {
      type: 'machine-learning-model',
      ...named(id),
      ...(revision && { version: revision, purl: modelUrl(id, revision) }),
      ...licensed(known.get(id)?.spdx ?? license, null),
    };
  });
  return ancestors.length === 0 ? {} : { pedigree: { ancestors } };
}

function fileComponent({ path, sizeBytes, sha256, gitOid }: ModelFile): BomComponent {
  return {
    type: 'file',
    name: path,
    ...(sha256 !== undefined && { hashes: [{ alg: 'SHA-256', content: sha256 }] }),
    properties: [
      { name: 'io.weighbridge.size', value: String(sizeBytes) },
      // Not a SHA-1 of the content: git hashes a header with it.
      ...(gitOid === undefined ? [] : [{ name: 'io.weighbridge.git-blob', value: gitOid }]),
    ],
  };
}

function baseComponents(subject: ImageSubject): BomComponent[] {
  return basesOf(subject).map(({ name, digest, purl }) => ({
    type: 'container',
    'bom-ref': purl,
    name,
    version: digest,
    hashes: [{ alg: 'SHA-256', content: hexOf(digest) }],
    purl,
  }));
}

function named(id: string): { readonly group?: string; readonly name: string } {
  const slash = id.indexOf('/');
  return slash === -1 ? { name: id } : { group: id.slice(0, slash), name: id.slice(slash + 1) };
}

function licensed(spdx: string | null | undefined, declared: string | null | undefined): object {
  if (spdx != null) return { licenses: [{ expression: spdx }] };
  return declared == null ? {} : { licenses: [{ license: { name: declared } }] };
}

/** The Hub has the task of a model among its tags; https://huggingface.co/tasks */
const TASKS = [
  'text-generation',
  'image-text-to-text',
  'any-to-any',
  'feature-extraction',
  'sentence-similarity',
  'text-classification',
  'text-ranking',
  'automatic-speech-recognition',
  'audio-text-to-text',
  'video-text-to-text',
  'translation',
  'summarization',
];

function taskOf(tags: readonly string[] | undefined): string | undefined {
  return TASKS.find(task => tags?.includes(task));
}

/** A UUID that depends on the content alone: version 8, as RFC 9562 has it for hashes. */
function serialNumber(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex[16] as string, 16) & 0x3) | 0x8).toString(16);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
  ];
  return `urn:uuid:${[...parts, hex.slice(20, 32)].join('-')}`;
}
