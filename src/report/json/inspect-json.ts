import { describeStatements } from '../../attest/stored-statements.ts';
import { hasServer } from '../../config/variants.ts';
import { type ModelLabels, readModelLabels } from '../../image/format/labels.ts';
import type { ImageLayerKind } from '../../image/format/layer-kinds.ts';
import { baseOf, imagePort, licenseOf, lineageOf, sizesByKind, totalBytes } from '../../image/image-facts.ts';
import type { ListedFile, PublishedAdapter, PublishedImage } from '../../image/published-image.ts';
import { isLocalName } from '../../oci/reference.ts';
import type { Descriptor } from '../../oci/types.ts';
import { newestScan, type ScanSummary } from '../../scan/scan-referrer.ts';
import { pullModelPack, type RunnableImage, runCommand } from '../serve/run-commands.ts';

/** One platform of an inspected image. */
export interface InspectedImage {
  readonly image: PublishedImage;
  /** The model's: in the image, or in the list that it fetches. */
  readonly files: readonly ListedFile[];
  /** What is attached to the image: scans, signatures. */
  readonly referrers: readonly Descriptor[];
}

/** An image as `inspect` has read it, with all its platforms. */
export interface Inspection {
  /** In full: `ghcr.io/acme/hf-x:v0.6.0-fat`. */
  readonly reference: string;
  /** `ghcr.io/acme/hf-x` */
  readonly repository: string;
  readonly images: readonly InspectedImage[];
}

/** What `inspect --json` prints. */
export interface InspectJson {
  readonly schemaVersion: 1;
  readonly reference: string;
  /** One for each platform. */
  readonly images: readonly InspectedImageJson[];
}

/** One platform of an image. */
export interface InspectedImageJson {
  readonly platform: string;
  readonly digest: string;
  /** Null for an image that Weighbridge has not published. */
  readonly model: {
    readonly id: string;
    readonly revision: string;
    readonly variant: string;
    readonly dir: string;
  } | null;
  /** What its labels say the model is; what they do not say is left out. */
  readonly facts?: ModelLabels;
  /** LoRA adapters that are served with it; absent if it has none. */
  readonly adapters?: readonly PublishedAdapter[];
  readonly base: { readonly name: string; readonly digest: string | null } | null;
  /** Of the base image: the vLLM release. */
  readonly version: string | null;
  /** SPDX expression. */
  readonly license: string | null;
  readonly lineage: readonly { readonly id: string; readonly license: string | null }[];
  /** ISO 8601. */
  readonly created: string | null;
  /** Stored bytes of the layers, in all and by kind. */
  readonly size: Readonly<Record<'total' | ImageLayerKind, number>>;
  readonly layers: readonly {
    readonly digest: string;
    readonly size: number;
    readonly kind: ImageLayerKind;
    readonly createdBy: string;
    readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
  }[];
  /** The model's, with their hashes as far as they are known. */
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    readonly sha256?: string;
    readonly gitOid?: string;
  }[];
  readonly entrypoint: readonly string[];
  readonly env: readonly string[];
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly scan: ScanSummary | null;
  /** Signatures and statements, as they say of themselves. */
  readonly statements: readonly {
    readonly kind: string | null;
    readonly predicateType: string | null;
    readonly digest: string;
  }[];
  readonly referrers: readonly { readonly digest: string; readonly artifactType: string | null }[];
  /** Commands that run it; null for an image that no engine pulls. */
  readonly run: { readonly docker: string; readonly podman: string } | null;
}

/** Returns the document of `inspect --json`. */
export function inspectToJson({ reference, images }: Inspection): InspectJson {
  return {
    schemaVersion: 1,
    reference,
    images: images.map(({ image, files, referrers }) => {
      const sizes = sizesByKind(image);
      const base = baseOf(image);
      return {
        platform: image.platform,
        digest: image.digest,
        model: image.model ?? null,
        ...(image.model === undefined ? {} : { facts: readModelLabels(image.labels) }),
        ...(image.adapters.length === 0 ? {} : { adapters: image.adapters }),
        base: base === undefined ? null : { name: base.name, digest: base.digest ?? null },
        version: base?.version ?? null,
        license: licenseOf(image) ?? null,
        lineage: lineageOf(image),
        created: image.config.created ?? null,
        size: { total: totalBytes(sizes), ...sizes },
        layers: image.layers.map(({ digest, sizeBytes, kind, createdBy, files: inLayer }) => ({
          digest,
          size: sizeBytes,
          kind,
          createdBy,
          files: inLayer.map(file => ({ path: file.path, size: file.sizeBytes, sha256: file.sha256 })),
        })),
        files: files.map(({ path, sizeBytes, sha256, gitOid }) => ({
          path,
          size: sizeBytes,
          ...(sha256 === undefined ? {} : { sha256 }),
          ...(gitOid === undefined ? {} : { gitOid }),
        })),
        entrypoint: image.container.Entrypoint ?? [],
        env: image.container.Env ?? [],
        port: imagePort(image),
        labels: image.labels,
        scan: newestScan(referrers)?.summary ?? null,
        // As they say of themselves: `verify --signed` tells whose they are.
        statements: describeStatements(referrers).map(({ kind, predicateType, descriptor }) => ({
          kind: kind ?? null,
          predicateType: predicateType ?? null,
          digest: descriptor.digest,
        })),
        referrers: referrers.map(({ digest, artifactType }) => ({
          digest,
          artifactType: artifactType ?? null,
        })),
        run: runsOf(reference, { image, files, referrers }),
      };
    }),
  };
}

/** Returns the command that brings the weights of an image in which nothing runs to where something does; null for others. */
export function useOf(reference: string, { image: { model } }: InspectedImage): string | null {
  if (model === undefined || isLocalName(reference)) return null;
  if (model.variant === 'weights')
    return `weighbridge manifest ${reference} --for image-volume --server <vLLM image>`;
  return model.variant === 'modelpack' ? pullModelPack(reference) : null;
}

/** Returns commands that run an image, null if no engine pulls it, or if nothing in it runs. */
export function runsOf(reference: string, { image, files }: InspectedImage) {
  const { model } = image;
  // Engines pull from registries, and not from a layout or an archive.
  if (model === undefined || !hasServer(model.variant) || isLocalName(reference)) return null;
  const runnable: RunnableImage = {
    reference,
    name: model.dir.slice(model.dir.lastIndexOf('/') + 1),
    variant: model.variant,
    port: imagePort(image),
    dir: model.dir,
    modelBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
  };
  return { docker: runCommand('docker', runnable), podman: runCommand('podman', runnable) };
}
