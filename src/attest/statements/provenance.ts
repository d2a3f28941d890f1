import { hexOf } from '../../core/digest.ts';
import { baseOf } from '../../image/image-facts.ts';
import { lockOf } from '../../plan/lock/lock.ts';
import type { PlannedModel } from '../../plan/types.ts';
import { basesOf } from '../base-images.ts';
import { modelUrl } from '../package-url.ts';
import { type DigestSet, type Statement, statementAbout } from '../statement.ts';
import type { ImageSubject, ModelFile } from '../types.ts';

/** Described in docs/signing.md. */
const BUILD_TYPE = 'https://github.com/13fragments/vllm-models/publish/v1';

/** https://slsa.dev/spec/v1.1/provenance */
interface ResourceDescriptor {
  readonly uri: string;
  readonly digest: DigestSet;
  readonly name?: string;
}

/**
 * Returns SLSA provenance: the row of models.yaml and what it was resolved to, with the hash of every file and of the
 * base image. It has no times and no number of a run, so that publishing again states the same.
 */
export function provenance(subject: ImageSubject): Statement {
  const { descriptor, tool } = subject;
  return statementAbout(descriptor.digest, 'provenance', {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: { variant: subject.model.variant, model: modelRow(subject) },
      internalParameters: { weighbridge: tool.version },
      resolvedDependencies: [
        modelSource(subject),
        ...adapterSources(subject),
        ...bases(subject),
        ...subject.files.map(fileOf(subject)),
      ],
    },
    runDetails: {
      builder: { id: tool.builderId, version: { weighbridge: tool.version } },
    },
  });
}

/** The entry of models.yaml with the defaults applied; of an image without one, what the image says. */
function modelRow({ model, platforms, planned }: ImageSubject): object {
  if (planned === undefined) {
    const arch = platforms.map(({ platform }) => platform);
    const base = platforms[0] && baseOf(platforms[0])?.name;
    return { id: model.id, revision: model.revision, arch, ...(base && { base_image: base }) };
  }
  const { model: row } = planned;
  return {
    id: row.id,
    short: row.short,
    ...(row.folder !== row.short && { folder: row.folder }),
    revision: row.revision,
    permissive: row.permissive,
    override_spdx: row.overrideSpdx,
    gated: row.gated,
    lineage: row.lineage,
    serve_args: row.serveArgs,
    oci: row.oci,
    base_image: row.baseImage,
    arch: row.arch,
    download_root: row.downloadRoot,
    hf_cache_dir: row.hfCacheDir,
    spdx_permissive_whitelist: row.permissiveWhitelist,
    files: { include: row.files.include, exclude: row.files.exclude, allow_pickle: row.files.allowPickle },
    lock: lockedModel(planned),
  };
}

function lockedModel(planned: PlannedModel): object | null {
  return (
    lockOf({ models: [planned] }, undefined, { isWhole: true, baseDigest: () => null }).models[
      planned.model.short
    ] ?? null
  );
}

function modelSource({ model }: ImageSubject): ResourceDescriptor {
  return { uri: modelUrl(model.id, model.revision), digest: { gitCommit: model.revision } };
}

/** All platforms have the same adapters. */
function adapterSources({ platforms: [image] }: ImageSubject): ResourceDescriptor[] {
  return (image?.adapters ?? []).map(({ name, id, revision }) => ({
    uri: modelUrl(id, revision),
    digest: { gitCommit: revision },
    name: `adapter ${name}`,
  }));
}

function bases(subject: ImageSubject): ResourceDescriptor[] {
  return basesOf(subject).map(({ name, digest, purl }) => ({
    uri: purl,
    digest: { sha256: hexOf(digest) },
    name,
  }));
}

function fileOf({ model }: ImageSubject): (file: ModelFile) => ResourceDescriptor {
  return ({ path, sha256, gitOid, isUpstream }) => ({
    uri: isUpstream ? modelUrl(model.id, model.revision, path) : `file:${encodeURI(path)}`,
    digest: {
      ...(sha256 !== undefined && { sha256 }),
      ...(gitOid !== undefined && { gitBlob: gitOid }),
    },
    name: path,
  });
}
