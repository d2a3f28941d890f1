import { byPath } from '../core/bytes-order.ts';
import { isGitOid } from '../core/digest.ts';
import { checkNames } from '../core/hub-names.ts';
import type { HttpClient } from '../http/client.ts';
import { FileReader, type RangeOptions, rangeOptions } from './download/open-file.ts';
import { askHub, askHubForPages } from './hub-api.ts';
import { badAnswer, disabledFailure, type HubQuestion } from './hub-failure.ts';
import type { ParsedModelInfo } from './model-info.ts';
import { checkPaths, unusableName } from './safe-path.ts';
import type { GetModelOptions, Hub, HubFile, ModelSnapshot } from './types.ts';
import { whoAmI } from './who-am-i.ts';

/** What a Hub is made of. */
export interface HubOptions {
  /** `https://huggingface.co`, no trailing slash. */
  readonly endpoint: string;
  readonly token?: string;
  readonly http: HttpClient;
  /** How often a download that breaks is taken up again while not one more byte of it comes. Default 8. */
  readonly readAttempts?: number;
  /** How a large file may be read by several ranges at once. */
  readonly ranges?: RangeOptions;
}

/** Threads that move blobs read files only, and start in half the time without the parsers and their library. */
const parsers = (): Promise<typeof import('./model-info.ts')> => import('./model-info.ts');

const DEFAULT_BRANCH = 'main';
const DEFAULT_READ_ATTEMPTS = 8;

/** Returns a Hub by its HTTP API. */
export function createHub(options: HubOptions): Hub {
  const { endpoint, token, http } = options;
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const hasToken = token !== undefined;
  const reader = new FileReader(options.ranges ?? rangeOptions());

  return {
    endpoint,
    whoAmI: signal => whoAmI(http, endpoint, headers, signal),
    async getModel(id, revision, signal, getOptions = {}) {
      const question: HubQuestion = { endpoint, model: id, revision: revision ?? DEFAULT_BRANCH, hasToken };
      checkNames(id, question.revision);
      const url = `${endpoint}/api/models/${encodePath(id)}/revision/${encodeURIComponent(question.revision)}?blobs=true&securityStatus=true`;
      const { parseModelInfo } = await parsers();
      const parse = (body: Buffer): ParsedModelInfo => parseModelInfo(id, body);
      const { value: info } = await askHub(http, { url, headers }, question, parse, signal);
      if (info.isDisabled) throw disabledFailure(id);
      if (isGitOid(question.revision) && info.sha !== question.revision)
        throw badAnswer(id, `asked for the commit ${question.revision}, it tells of ${info.sha}`);
      return toSnapshot(id, info, info.files ?? (await readTree(info, question, signal)), getOptions);
    },
    openFile({ id, revision }, file, span) {
      checkNames(id, revision);
      checkPaths(id, [file.path]);
      const request = {
        http,
        url: `${endpoint}/${encodePath(id)}/resolve/${encodeURIComponent(revision)}/${encodePath(file.path)}`,
        headers,
        file,
        question: { endpoint, model: id, revision, hasToken, path: file.path },
        attempts: options.readAttempts ?? DEFAULT_READ_ATTEMPTS,
      };
      return reader.source(request, span);
    },
  };

  /** Where the model's own list is not complete, as those of older servers are. */
  async function readTree(
    info: ParsedModelInfo,
    question: HubQuestion,
    signal: AbortSignal | undefined,
  ): Promise<HubFile[]> {
    const url = `${endpoint}/api/models/${encodePath(info.id)}/tree/${info.sha}?recursive=true`;
    const files: HubFile[] = [];
    const { MAX_FILES, parseTreePage } = await parsers();
    const parse = (body: Buffer): HubFile[] => parseTreePage(question.model, body);
    for await (const page of askHubForPages(http, { url, headers }, question, parse, signal)) {
      for (const file of page) files.push(file);
      if (files.length > MAX_FILES) throw badAnswer(info.id, `it lists more than ${MAX_FILES} files`);
    }
    return files;
  }
}

function toSnapshot(
  requestedId: string,
  info: ParsedModelInfo,
  all: readonly HubFile[],
  { mayLeaveOut }: GetModelOptions,
): ModelSnapshot {
  const paths = all.map(({ path }) => path).filter(path => unusableName(path) !== undefined);
  const leftOut = mayLeaveOut === 'all' ? new Set(paths) : mayLeaveOut?.(paths);
  const unusable = all.filter(({ path }) => leftOut?.has(path));
  const files = all.filter(({ path }) => !leftOut?.has(path));
  checkPaths(
    requestedId,
    files.map(file => file.path),
  );
  return {
    id: info.id,
    requestedId,
    revision: info.sha,
    gated: info.gated,
    isPrivate: info.isPrivate,
    license: info.license,
    tags: info.tags,
    baseModels: info.baseModels,
    ...(info.unreadableBases.length === 0 ? {} : { unreadableBases: info.unreadableBases }),
    ...(info.baseModelRelation === undefined ? {} : { baseModelRelation: info.baseModelRelation }),
    ...(info.safety === undefined ? {} : { safety: info.safety }),
    ...(unusable.length === 0
      ? {}
      : { unusable: unusable.map(({ path, sizeBytes }) => ({ path, sizeBytes })) }),
    ...(info.tensors === undefined ? {} : { tensors: info.tensors }),
    ...(info.committed === undefined ? {} : { committed: info.committed }),
    ...(info.languages.length === 0 ? {} : { languages: info.languages }),
    files: files.toSorted(byPath),
  };
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
