import { HubError, NetworkError, WeighbridgeError } from '../core/errors.ts';
import type { HttpResponse } from '../http/client.ts';
import { serverWaitMs } from '../http/retry.ts';

/** What a question to the Hub was about, for its errors. */
export interface HubQuestion {
  readonly endpoint: string;
  readonly model: string;
  /** As the user wrote it, or the commit. */
  readonly revision: string;
  readonly hasToken: boolean;
}

/** The error for an answer that is not what was asked for. The body is not read: it may be anything. */
export function hubFailure(response: HttpResponse, question: HubQuestion): HubError {
  response.discard();
  const { endpoint, model, revision, hasToken } = question;
  const { status } = response;
  const code = response.headers['x-error-code'];
  const subject = model;
  if (code === 'GatedRepo') {
    return new HubError(
      hasToken
        ? `${model} is gated, and this token has no access to it`
        : `${model} is gated, and no token was given`,
      {
        code: 'HUB_GATED',
        subject,
        remedy: `Accept its terms at ${endpoint}/${model}${hasToken ? ' with the account of the token' : ' and set HF_TOKEN'}.`,
      },
    );
  }
  if (code === 'RevisionNotFound') {
    return new HubError(`${model} has no revision ${JSON.stringify(revision)}`, {
      code: 'HUB_REVISION_NOT_FOUND',
      subject,
      remedy: 'Check `revision` in models.yaml: a branch, a tag, or a full commit.',
    });
  }
  if (code === 'EntryNotFound') {
    return new HubError(`${model} does not have the file at ${revision}`, { code: 'HUB_NOT_FOUND', subject });
  }
  if (code === 'RepoNotFound' || status === 404 || (status === 401 && !hasToken)) {
    return new HubError(`${model} is not on ${endpoint}, or it is private`, {
      code: 'HUB_NOT_FOUND',
      subject,
      remedy: hasToken
        ? 'Check the id, and that the account of HF_TOKEN may read it.'
        : 'Check the id; for a private model set HF_TOKEN.',
    });
  }
  if (status === 401 || status === 403) {
    return new HubError(`${endpoint} refused the token for ${model} (status ${status})`, {
      code: 'HUB_UNAUTHORIZED',
      subject,
      remedy: 'Check HF_TOKEN: it may have expired or lack the right to read this model.',
    });
  }
  if (status === 429) {
    const waitMs = serverWaitMs(response.headers);
    const wait = waitMs === undefined ? 'a few minutes' : `${Math.ceil(waitMs / 1000)} seconds`;
    return new HubError(`${endpoint} limits the rate of requests`, {
      code: 'HUB_RATE_LIMITED',
      subject,
      remedy: `Try again in ${wait}${hasToken ? '' : ', or set HF_TOKEN: known accounts may ask more often'}.`,
    });
  }
  return new HubError(`${endpoint} answered ${status} for ${model}`, {
    code: status >= 500 ? 'HUB_UNREACHABLE' : 'HUB_BAD_ANSWER',
    subject,
    remedy: status >= 500 ? 'The Hub has a problem of its own; try again later.' : 'Check HF_ENDPOINT.',
  });
}

/** `error` as the Hub's, where it is the network's; anything else as it is. */
export function explainHubError(error: unknown, { endpoint, model }: HubQuestion): unknown {
  if (error instanceof NetworkError) {
    return new HubError(error.message, {
      code: 'HUB_UNREACHABLE',
      subject: model,
      remedy: `Check that ${endpoint} can be reached from here (HF_ENDPOINT, HTTPS_PROXY).`,
      cause: error,
    });
  }
  if (error instanceof WeighbridgeError && error.code === 'HTTP_TOO_LARGE')
    return badAnswer(model, error.message, error);
  return error;
}

export function badAnswer(model: string, what: string, cause?: unknown): HubError {
  return new HubError(`the Hub's answer about ${model} makes no sense: ${what}`, {
    code: 'HUB_BAD_ANSWER',
    subject: model,
    remedy: 'Check HF_ENDPOINT: it has to be the Hub or a server with its HTTP API.',
    cause,
  });
}
