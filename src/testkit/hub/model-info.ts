import { parse } from 'yaml';
import { readContent } from '../server/content.ts';
import { gitObjectId } from './git-objects.ts';
import type { Commit, Repository, StoredFile } from './repository.ts';

/** Returns the answer of `GET /api/models/{id}`; https://huggingface.co/docs/hub/api */
export async function modelInfo(
  repository: Repository,
  commit: Commit,
  { hasBlobs, hasSecurity }: { readonly hasBlobs: boolean; readonly hasSecurity: boolean },
): Promise<Record<string, unknown>> {
  const cardData = await readCardData(commit.files.get('README.md'));
  const { id } = repository;
  const files = [...commit.files.values()];
  return {
    // The Hub's database id; clients must not take it for the model's.
    _id: gitObjectId('blob', Buffer.from(id)).slice(0, 24),
    id,
    private: repository.isPrivate,
    ...(cardData?.pipeline_tag === undefined ? {} : { pipeline_tag: cardData.pipeline_tag }),
    ...(cardData?.library_name === undefined ? {} : { library_name: cardData.library_name }),
    tags: tagsOf(files, cardData),
    downloads: 0,
    likes: 0,
    modelId: id,
    author: id.includes('/') ? id.split('/')[0] : undefined,
    sha: commit.sha,
    lastModified: commit.date,
    gated: repository.gated,
    disabled: repository.isDisabled,
    ...(cardData === undefined ? {} : { cardData }),
    siblings: files.map(file => (hasBlobs ? siblingWithBlob(file) : { rfilename: file.path })),
    ...(hasSecurity
      ? { securityRepoStatus: { scansDone: true, filesWithIssues: repository.filesWithIssues } }
      : {}),
    spaces: [],
    createdAt: '2026-01-01T00:00:00.000Z',
    usedStorage: files.reduce((sum, file) => sum + file.content.sizeBytes, 0),
  };
}

/** Returns an entry of the tree API and of paths-info. */
export function treeEntry(file: StoredFile): Record<string, unknown> {
  const { path, content, gitOid, lfs } = file;
  return {
    type: 'file',
    oid: gitOid,
    size: content.sizeBytes,
    ...(lfs === undefined
      ? {}
      : { lfs: { oid: lfs.sha256, size: content.sizeBytes, pointerSize: lfs.pointerSizeBytes } }),
    path,
  };
}

function siblingWithBlob({ path, content, gitOid, lfs }: StoredFile): Record<string, unknown> {
  return {
    rfilename: path,
    blobId: gitOid,
    size: content.sizeBytes,
    ...(lfs === undefined
      ? {}
      : { lfs: { sha256: lfs.sha256, size: content.sizeBytes, pointerSize: lfs.pointerSizeBytes } }),
  };
}

async function readCardData(card: StoredFile | undefined): Promise<Record<string, unknown> | undefined> {
  if (card === undefined) return undefined;
  const text = (await readContent(card.content)).toString('utf8');
  const frontMatter = /^---\r?\n([\s\S]*?)\r?\n---(\r?\n|$)/.exec(text)?.[1];
  if (frontMatter === undefined) return undefined;
  const value: unknown = parse(frontMatter);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

function tagsOf(files: readonly StoredFile[], cardData: Record<string, unknown> | undefined): string[] {
  const tags = [
    ...(files.some(({ path }) => path.endsWith('.safetensors')) ? ['safetensors'] : []),
    ...listOf(cardData?.tags),
    ...listOf(cardData?.base_model).map(base => `base_model:${base}`),
    ...listOf(cardData?.license).map(license => `license:${license}`),
    'region:us',
  ];
  return [...new Set(tags)];
}

function listOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter(item => typeof item === 'string');
}
