import { HubError } from '../core/errors.ts';
import type { HttpClient, HttpResponse } from '../http/client.ts';
import type { RetryPolicy } from '../http/retry.ts';
import { badAnswer, explainHubError, type HubQuestion, hubFailure } from './hub-failure.ts';
import { parseModelInfo, parseTreePage } from './model-info.ts';
import { hubFileSource } from './open-file.ts';
import { checkPaths } from './safe-path.ts';
import type { Hub, HubFile, ModelSnapshot } from './types.ts';

export interface HubOptions {
  /** `https://huggingface.co`, no trailing slash. */
  readonly endpoint: string;
  readonly token?: string;
  readonly http: HttpClient;
  /** How a download that breaks is taken up again. */
  readonly retry?: RetryPolicy;
}

const DEFAULT_BRANCH = 'main';
/** A model's list of files, and one page of its tree. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_TREE_PAGES = 1000;

export function createHub(options: HubOptions): Hub {
  const { endpoint, token, http } = options;
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const questionAbout = (model: string, revision: string): HubQuestion => ({
    endpoint,
    model,
    revision,
    hasToken: token !== undefined,
  });

  return {
    endpoint,
    async getModel(id, revision, signal) {
      const question = questionAbout(id, revision ?? DEFAULT_BRANCH);
      const revisionPath = encodeURIComponent(question.revision);
      const { body } = await get(
        `${endpoint}/api/models/${encodePath(id)}/revision/${revisionPath}?blobs=true`,
        question,
        signal,
      );
      const info = parseModelInfo(id, body);
      if (info.isDisabled) throw disabled(id);
      const present = info.id ?? id;
      const files = info.files ?? (await readTree(present, info.sha, question, signal));
      checkPaths(
        id,
        files.map(file => file.path),
      );
      return {
        id: present,
        requestedId: id,
        revision: info.sha,
        gated: info.gated,
        isPrivate: info.isPrivate,
        license: info.license,
        tags: info.tags,
        baseModels: info.baseModels,
        files: files.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))),
      } satisfies ModelSnapshot;
    },
    openFile({ id, revision }, file) {
      return hubFileSource({
        http,
        url: `${endpoint}/${encodePath(id)}/resolve/${revision}/${encodePath(file.path)}`,
        headers,
        path: file.path,
        sizeBytes: file.sizeBytes,
        question: questionAbout(id, revision),
        ...(options.retry === undefined ? {} : { retry: options.retry }),
      });
    },
  };

  async function get(
    url: string,
    question: HubQuestion,
    signal: AbortSignal | undefined,
  ): Promise<{ body: Buffer; response: HttpResponse }> {
    try {
      const purpose = `asking the Hub about ${question.model}`;
      const response = await http.request({ method: 'GET', url, headers, purpose, signal });
      if (response.status !== 200) throw hubFailure(response, question);
      return { body: await response.bytes(MAX_BODY_BYTES), response };
    } catch (error) {
      throw explainHubError(error, question);
    }
  }

  async function readTree(
    id: string,
    commit: string,
    question: HubQuestion,
    signal: AbortSignal | undefined,
  ): Promise<HubFile[]> {
    const files: HubFile[] = [];
    let url: string | undefined = `${endpoint}/api/models/${encodePath(id)}/tree/${commit}?recursive=true`;
    for (let page = 1; url !== undefined; page++) {
      if (page > MAX_TREE_PAGES)
        throw badAnswer(id, `its list of files does not end after ${MAX_TREE_PAGES} pages`);
      const { body, response } = await get(url, question, signal);
      files.push(...parseTreePage(id, body));
      url = nextPage(response, id);
    }
    return files;
  }

  function nextPage(response: HttpResponse, id: string): string | undefined {
    const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(response.headers.link ?? ''))?.[1];
    if (link === undefined) return undefined;
    const next = new URL(link, response.url);
    // The token goes with the request, so the next page has to be the Hub's own.
    if (next.origin !== new URL(endpoint).origin)
      throw badAnswer(id, 'its list of files goes on at another server');
    return next.href;
  }
}

function disabled(model: string): HubError {
  return new HubError(`${model} has been disabled on the Hub`, {
    code: 'HUB_DISABLED',
    subject: model,
    remedy: 'Take it out of models.yaml; what was published of it stays until you delete it.',
  });
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
