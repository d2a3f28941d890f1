import { z } from 'zod';
import { isGitOid, isSha256Hex } from '../core/digest.ts';
import { badAnswer } from './hub-failure.ts';
import type { HubFile, LicenseFacts } from './types.ts';

const text = z.string();
const textOrList = z.union([text, z.array(text)]);
const size = z.int().min(0);
const gitOid = text.refine(isGitOid, 'expected 40 hex characters');
const sha256 = text.refine(isSha256Hex, 'expected 64 hex characters');

// `GET /api/models/{id}/revision/{rev}?blobs=true`; https://huggingface.co/docs/hub/api
const Sibling = z.object({
  rfilename: text,
  size: size.nullish(),
  blobId: gitOid.nullish(),
  lfs: z.object({ sha256, size }).nullish(),
});

const ModelInfo = z.object({
  id: text.optional(),
  modelId: text.optional(),
  sha: gitOid,
  gated: z.union([z.boolean(), text]).nullish(),
  private: z.boolean().nullish(),
  disabled: z.boolean().nullish(),
  tags: z.array(text).nullish(),
  // A card is written by people: what has the wrong type in it counts as not written, not as an error.
  cardData: z.record(text, z.unknown()).nullish(),
  siblings: z.array(Sibling),
});

const TreeEntry = z.object({
  type: text,
  path: text,
  size: size.optional(),
  oid: text,
  lfs: z.object({ oid: sha256, size }).nullish(),
});

export interface ParsedModelInfo {
  readonly id: string | undefined;
  readonly sha: string;
  readonly gated: false | string;
  readonly isPrivate: boolean;
  readonly isDisabled: boolean;
  readonly tags: readonly string[];
  readonly license: LicenseFacts;
  readonly baseModels: readonly string[];
  /** Undefined where the answer lacks sizes or ids, as older servers' do: the tree has them. */
  readonly files: readonly HubFile[] | undefined;
}

export function parseModelInfo(model: string, body: Buffer): ParsedModelInfo {
  const info = parseJson(model, ModelInfo, body);
  return {
    id: info.id ?? info.modelId,
    sha: info.sha,
    gated: info.gated === true ? 'true' : info.gated || false,
    isPrivate: info.private === true,
    isDisabled: info.disabled === true,
    tags: info.tags ?? [],
    license: licenseFacts(info.cardData ?? {}),
    baseModels: listOf(info.cardData?.base_model),
    files: filesOf(info.siblings),
  };
}

/** One page of `GET /api/models/{id}/tree/{rev}?recursive=true`. */
export function parseTreePage(model: string, body: Buffer): HubFile[] {
  return parseJson(model, z.array(TreeEntry), body)
    .filter(entry => entry.type === 'file')
    .map(entry => {
      const sizeBytes = entry.lfs?.size ?? entry.size;
      if (sizeBytes === undefined) throw badAnswer(model, `${JSON.stringify(entry.path)} has no size`);
      if (!isGitOid(entry.oid)) throw badAnswer(model, `${JSON.stringify(entry.path)} has no valid oid`);
      return hubFile(entry.path, sizeBytes, entry.oid, entry.lfs?.oid);
    });
}

function filesOf(siblings: readonly z.infer<typeof Sibling>[]): HubFile[] | undefined {
  const files: HubFile[] = [];
  for (const { rfilename, size: plainSize, blobId, lfs } of siblings) {
    const sizeBytes = lfs?.size ?? plainSize;
    if (sizeBytes == null || (blobId == null && lfs == null)) return undefined;
    // git's id of an LFS file is the pointer's and never used, so a server may leave it out.
    files.push(hubFile(rfilename, sizeBytes, blobId ?? '0'.repeat(40), lfs?.sha256));
  }
  return files;
}

function hubFile(path: string, sizeBytes: number, oid: string, hash: string | undefined): HubFile {
  return { path, sizeBytes, gitOid: oid, ...(hash === undefined ? {} : { sha256: hash }) };
}

function licenseFacts(card: Readonly<Record<string, unknown>>): LicenseFacts {
  const license = textOrList.safeParse(card.license);
  return {
    license: license.success ? license.data : null,
    licenseName: typeof card.license_name === 'string' ? card.license_name : null,
    licenseLink: typeof card.license_link === 'string' ? card.license_link : null,
  };
}

function listOf(value: unknown): string[] {
  const parsed = textOrList.safeParse(value);
  if (!parsed.success) return [];
  return typeof parsed.data === 'string' ? [parsed.data] : parsed.data;
}

function parseJson<T>(model: string, schema: z.ZodType<T>, body: Buffer): T {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw badAnswer(model, 'it is not JSON', cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badAnswer(model, `${issue?.path.join('.') || 'the answer'}: ${issue?.message}`);
}
