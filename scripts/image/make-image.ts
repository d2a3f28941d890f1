// Makes Weighbridge's own container image for amd64 and arm64, with the OCI code of this project and no engine:
//   npm run image -- [--base REFERENCE] [--output FOLDER] [--push REFERENCE]...
// Layers: the base's, Node.js (the official program, from npm by hash), and the bundle. No times, no owners: the same commit on the
// same base is the same digest. Without --push it is only an OCI layout in build/image, tagged with the version.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bytesSource } from '../../src/core/byte-source.ts';
import { digestOf } from '../../src/core/digest.ts';
import { createServices } from '../../src/engine/services.ts';
import { BaseImages } from '../../src/image/base/base-image.ts';
import { OciAnnotation } from '../../src/oci/annotations.ts';
import type { BaseImage } from '../../src/oci/image.ts';
import { parseReference } from '../../src/oci/reference.ts';
import {
  type Descriptor,
  type ImageConfig,
  type Index,
  type Manifest,
  MediaType,
} from '../../src/oci/types.ts';
import type { ImageStore } from '../../src/store/image-store.ts';
import { openLayout } from '../../src/store/local/layout.ts';
import { copyBlob, putBlob } from './copy-blob.ts';
import { type Layer, makeLayer } from './layer.ts';
import { type Architecture, nodeBinary } from './node-binary.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const ARCHITECTURES: readonly Architecture[] = ['amd64', 'arm64'];
const HOME = '/opt/weighbridge';
/** As in distroless: a user that has nothing. By number, so that Kubernetes can tell that it is not root. */
const USER = '65532:65532';

/** A document of the image, as its store gets it. */
interface Document {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

interface PlatformImage {
  readonly base: BaseImage;
  readonly layers: readonly Layer[];
  readonly config: Document;
  readonly manifest: Document;
}

const { values } = parseArgs({
  options: {
    base: { type: 'string' },
    output: { type: 'string', default: path.join(ROOT, 'build/image') },
    push: { type: 'string', multiple: true, default: [] },
  },
});
const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const services = createServices(process.env, () => undefined);
const base = values.base ?? pinnedBase();
const bases = new BaseImages({ open: name => services.openRepository(name, 'pull') });
const app = makeLayer('Weighbridge', [
  { path: 'opt/weighbridge/bin/weighbridge', target: '../weighbridge.mjs' },
  { path: 'opt/weighbridge/weighbridge.mjs', content: bundle(), isExecutable: true },
  { path: 'opt/weighbridge/LICENSE', content: readFileSync(path.join(ROOT, 'LICENSE')) },
]);
const images: PlatformImage[] = [];
for (const architecture of ARCHITECTURES) images.push(await makePlatform(architecture));
const index = indexOf(images);
await put(await openLayout(values.output), manifest.version);
for (const reference of values.push) {
  const { registry, repository, tag = manifest.version } = parseReference(reference);
  await put(services.openRepository(`${registry}/${repository}`, 'push'), tag);
}
process.stdout.write(`${index.descriptor.digest}\n`);

async function makePlatform(architecture: Architecture): Promise<PlatformImage> {
  const from = await bases.get(base, `linux/${architecture}`);
  const node = nodeBinary(architecture);
  const layers = [
    makeLayer(`Node.js ${node.version}`, [
      { path: 'opt/weighbridge/bin/node', content: node.program, isExecutable: true },
      { path: 'opt/weighbridge/licenses/node', content: node.license },
    ]),
    app,
  ];
  const config = documentOf(MediaType.ociConfig, configOf(from, layers));
  const own: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: config.descriptor,
    layers: [...from.layers, ...layers.map(({ descriptor }) => descriptor)],
    annotations: labelsOf(from),
  };
  return { base: from, layers, config, manifest: documentOf(MediaType.ociManifest, own) };
}

function configOf(from: BaseImage, layers: readonly Layer[]): ImageConfig {
  const { config: inherited = {}, rootfs, history = [], os, architecture, variant } = from.config;
  const search =
    (inherited.Env ?? []).find(entry => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '/usr/bin:/bin';
  const environment = (inherited.Env ?? []).filter(entry => !entry.startsWith('PATH='));
  const created = '1970-01-01T00:00:00Z';
  return {
    created,
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    config: {
      User: USER,
      Env: [`PATH=${HOME}/bin:${search}`, ...environment],
      Entrypoint: [`${HOME}/bin/weighbridge`],
      Cmd: ['--help'],
      WorkingDir: '/tmp',
      Labels: labelsOf(from),
    },
    rootfs: { type: 'layers', diff_ids: [...rootfs.diff_ids, ...layers.map(({ diffId }) => diffId)] },
    // A history that does not fit the base's layers would be worse than none.
    history: [
      ...(history.filter(entry => entry.empty_layer !== true).length === rootfs.diff_ids.length
        ? history
        : rootfs.diff_ids.map(() => ({ created, comment: 'base image' }))),
      ...layers.map(({ comment }) => ({ created, created_by: 'npm run image', comment })),
    ],
  };
}

function labelsOf(from: BaseImage): Record<string, string> {
  const repository = String(manifest.repository).replace('github:', 'https://github.com/');
  const { registry, repository: name, tag } = parseReference(base);
  return {
    [OciAnnotation.title]: 'Weighbridge',
    [OciAnnotation.description]: manifest.description,
    [OciAnnotation.source]: repository,
    [OciAnnotation.url]: manifest.homepage,
    [OciAnnotation.version]: manifest.version,
    [OciAnnotation.revision]: commit(),
    [OciAnnotation.licenses]: manifest.license,
    [OciAnnotation.baseName]: `${registry}/${name}${tag === undefined ? '' : `:${tag}`}`,
    [OciAnnotation.baseDigest]: from.digest,
  };
}

function indexOf(all: readonly PlatformImage[]): Document {
  const [first] = all;
  const list: Index = {
    schemaVersion: 2,
    mediaType: MediaType.ociIndex,
    manifests: all.map(({ manifest: { descriptor }, base: { platform } }) => ({ ...descriptor, platform })),
    ...(first && { annotations: labelsOf(first.base) }),
  };
  return documentOf(MediaType.ociIndex, list);
}

/** Blobs, then configs, then manifests, then the tag. */
async function put(store: ImageStore, tag: string): Promise<void> {
  for (const { base: from, layers, config, manifest: own } of images) {
    const source = services.openRepository(from.storeName, 'pull');
    for (const layer of from.layers) await copyBlob(source, store, layer);
    for (const { descriptor, bytes, comment } of layers)
      await putBlob(store, descriptor, bytesSource(comment, bytes));
    await putBlob(store, config.descriptor, bytesSource('config', config.bytes));
    await store.putManifest(own.descriptor.digest, storedOf(own));
  }
  await store.putManifest(tag, storedOf(index));
  process.stderr.write(`${store.name}:${tag}@${index.descriptor.digest}\n`);
}

function storedOf({ descriptor: { mediaType, digest }, bytes }: Document) {
  return { mediaType, digest, bytes };
}

function documentOf(mediaType: string, value: object): Document {
  const bytes = Buffer.from(JSON.stringify(value));
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}

/** Started by the image's own Node.js, so that it needs no `env` and no shell. */
function bundle(): Buffer {
  const text = readFileSync(path.join(ROOT, 'build/weighbridge.mjs'), 'utf8');
  return Buffer.from(text.replace(/^#!.*\n/, `#!${HOME}/bin/node\n`));
}

function pinnedBase(): string {
  const text = readFileSync(path.join(import.meta.dirname, 'Dockerfile'), 'utf8');
  const [, found = ''] = /^FROM (\S+@sha256:[0-9a-f]{64})$/m.exec(text) ?? [];
  if (found === '') throw new Error('scripts/image/Dockerfile names no base by its digest');
  return found;
}

function commit(): string {
  return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
}
