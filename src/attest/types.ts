import type { Digest } from '../core/digest.ts';
import type { PublishedImage, PublishedModel } from '../image/published-image.ts';
import type { Descriptor } from '../oci/types.ts';
import type { PlannedModel } from '../plan/types.ts';

/** What is signed: a manifest or an index, and everything that statements say of it. */
export interface ImageSubject {
  readonly descriptor: Descriptor;
  /** `ghcr.io/acme/hf-x` */
  readonly repository: string;
  readonly model: PublishedModel;
  /** The images under it: one for a manifest, one a platform for an index. */
  readonly platforms: readonly PublishedImage[];
  /** The model's files as the image has them or, if it is slim, lists them. */
  readonly files: readonly ModelFile[];
  /** The plan that the image was made from; undefined if it is not known. */
  readonly planned: PlannedModel | undefined;
  readonly tool: SigningTool;
}

/** A file of the model, by its path below the model's folder. */
export interface ModelFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Unknown for small files of a slim image that nothing has read. */
  readonly sha256?: string | undefined;
  readonly gitOid?: string | undefined;
  /** Whether the repository has this file; false for a part of a file that was divided, and for its index. */
  readonly isUpstream: boolean;
}

/** Who makes the statements. */
export interface SigningTool {
  /** Of Weighbridge. */
  readonly version: string;
  /** Where it runs, as a URI: a workflow of GitHub Actions, a pipeline of GitLab, or a machine. */
  readonly builderId: string;
}

/** The result of a vulnerability scan, as its tool wrote it. */
export interface ScanStatement {
  /** Of the platform image that was scanned. */
  readonly digest: Digest;
  /** `trivy 0.74.0` */
  readonly scanner: string;
  /** ISO 8601. */
  readonly databaseDate: string | null;
  readonly scannedAt: string;
  readonly report: unknown;
}
